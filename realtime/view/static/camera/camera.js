// The browser's own camera: its pictures are numbered, stamped with their capture time and turned into JPEG in a worker.

const LONGEST_PX = 640;
const STILL_MS = 3000; // without a new picture for so long the camera is taken to be dead
const LOOK_MS = 500;

export class Camera {
  #video;
  #stream = null;
  #turn = 0; // counts what was opened and closed: a camera that is given after the next turn is not wanted
  #encoder = new Worker(new URL("encoder.js", import.meta.url), { type: "module" });
  #busy = false;
  #last = 0; // numbers go on over a change of camera, so that they never go back
  #base = 0;
  #taken = 0; // when the last picture came, or could first be missed
  #why = ""; // why none comes

  // `wanted()` tells before each picture whether it may go; `encoded(number, captured_ms, bytes)` gets those that may.
  // `still(why)` is told "muted" or "silent" when no picture comes though the camera is open, and "" when one comes again.
  constructor(video, { wanted, encoded, ended, still }) {
    this.#video = video;
    this.wanted = wanted;
    this.ended = ended;
    this.still = still;
    setInterval(() => this.#look(), LOOK_MS);
    document.addEventListener("visibilitychange", () => (this.#taken = performance.now())); // none is drawn while hidden
    this.#encoder.onmessage = ({ data }) => {
      this.#busy = false;
      if (this.#stream && data.number > this.#base) encoded(data.number, data.captured, data.bytes);
    };
  }

  get isOpen() {
    return this.#stream !== null;
  }

  // A camera that looks at its person shows a mirror; one on a phone's back does not.
  get mirrored() {
    return this.#stream?.getVideoTracks()[0].getSettings().facingMode !== "environment";
  }

  // When the camera was given, or null if another was opened, or this one closed, before the person allowed it.
  // Throws what getUserMedia throws, or an error named "insecure" where the browser offers no camera.
  async open(device) {
    this.close();
    const turn = this.#turn;
    const late = () => turn !== this.#turn;
    if (!navigator.mediaDevices) throw Object.assign(new Error("no camera for plain http"), { name: "insecure" });
    const size = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 60 } };
    const video = { ...size, ...(device ? { deviceId: { exact: device } } : { facingMode: "user" }) };
    const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false }).catch((error) => {
      if (!late()) throw error;
    });
    const allowed = performance.now();
    if (late()) return stop(stream);
    this.#stream = stream;
    this.#base = this.#last + 1;
    this.#taken = performance.now();
    const [track] = stream.getVideoTracks();
    track.onended = () => this.#stream === stream && (this.close(), this.ended());
    track.onmute = track.onunmute = () => this.#look();
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {}); // stopped again before it began
    this.#watch(stream);
    return allowed;
  }

  close() {
    this.#turn += 1;
    stop(this.#stream);
    this.#stream = this.#video.srcObject = null;
    this.#why = "";
  }

  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return all.filter((device) => device.kind === "videoinput" && device.deviceId);
  }

  // A track may be muted by the system, or die without a word.
  #look() {
    if (!this.#stream) return;
    const silent = !document.hidden && performance.now() - this.#taken > STILL_MS;
    const why = this.#stream.getVideoTracks()[0].muted ? "muted" : silent ? "silent" : "";
    if (why !== this.#why) this.still((this.#why = why));
  }

  #watch(stream) {
    const next = this.#video.requestVideoFrameCallback
      ? (taken) => this.#video.requestVideoFrameCallback((now, frame) => taken(frame.presentedFrames, frame.captureTime ?? now))
      : this.#poll();
    const taken = (presented, captured) => {
      if (this.#stream !== stream) return;
      this.#last = this.#base + presented;
      this.#taken = performance.now();
      if (!this.#busy && this.wanted()) this.#encode(this.#last, captured);
      next(taken);
    };
    next(taken);
  }

  // For browsers that do not call for each picture: the video's own time tells when there is a new one.
  #poll() {
    let seen = -1;
    let presented = 0;
    const look = (taken) => {
      if (!this.#stream) return;
      if (this.#video.currentTime === seen) return requestAnimationFrame(() => look(taken));
      seen = this.#video.currentTime;
      taken((presented += 1), performance.now());
    };
    return (taken) => requestAnimationFrame(() => look(taken));
  }

  async #encode(number, captured) {
    this.#busy = true;
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, LONGEST_PX / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    try {
      const picture = self.VideoFrame
        ? new VideoFrame(this.#video, { timestamp: Math.round(captured * 1000) })
        : await createImageBitmap(this.#video);
      this.size = { width, height };
      this.#encoder.postMessage({ picture, number, captured, width, height }, [picture]);
    } catch {
      this.#busy = false; // the stream ended between the call and the copy
    }
  }
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  return null;
}
