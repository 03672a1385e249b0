// The WebSocket to the page's server. It opens again by itself, after pauses that grow.

const FIRST_S = 0.5;
const MOST_S = 8;
const STEADY_MS = 3000; // a connection that held so long makes the next pause short again

export class Link {
  #socket = null;
  #pause = FIRST_S;
  #heard;

  // `heard` has said(message), picture(frame, t, jpeg), opened() and closed(pause_s, why).
  constructor(url, heard) {
    this.url = url;
    this.#heard = heard;
    this.#open();
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  say(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  send(bytes) {
    if (this.isOpen) this.#socket.send(bytes);
  }

  #open() {
    const socket = new WebSocket(this.url);
    let opened = Infinity;
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      opened = performance.now();
      this.#heard.opened();
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#heard.said(JSON.parse(data)) : this.#unpack(data));
    socket.onclose = ({ reason }) => {
      if (performance.now() - opened > STEADY_MS) this.#pause = FIRST_S;
      this.#heard.closed(this.#pause, reason);
      setTimeout(() => this.#open(), this.#pause * 1000 * (0.8 + 0.4 * Math.random()));
      this.#pause = Math.min(2 * this.#pause, MOST_S);
    };
  }

  // uint32 frame, float64 t, JPEG; little endian.
  #unpack(data) {
    const head = new DataView(data);
    this.#heard.picture(head.getUint32(0, true), head.getFloat64(4, true), new Blob([new Uint8Array(data, 12)], { type: "image/jpeg" }));
  }
}

export function address() {
  const url = new URL("../../live", import.meta.url);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}
