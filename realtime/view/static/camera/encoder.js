// A worker: pictures in, the bytes that go to the server out, so that encoding never holds up the page.

const QUALITY = 0.9; // a micro-expression lives in small differences
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

self.onmessage = async ({ data: { picture, number, captured, width, height } }) => {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  const jpeg = await (await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY })).arrayBuffer();
  const bytes = new Uint8Array(12 + jpeg.byteLength);
  const head = new DataView(bytes.buffer);
  head.setUint32(0, number, true);
  head.setFloat64(4, captured / 1000, true);
  bytes.set(new Uint8Array(jpeg), 12);
  self.postMessage({ number, captured, bytes: bytes.buffer }, [bytes.buffer]);
};
