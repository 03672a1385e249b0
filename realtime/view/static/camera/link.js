// The WebSocket to the page's server. It opens again by itself, after pauses that grow.

const FIRST_S = 0.5;
const MOST_S = 8;
const STEADY_MS = 3000; // a connection that held so long makes the next pause short again
const SILENT_MS = 8000; // the server says something every other second: after so long nobody is there
const LOOK_MS = 500;

export class Link {
  #socket = null;
  #pause = FIRST_S;
  #heard;
  #newest = 0; // when something came last, or the connection began

  // `heard` has said(message), picture(frame, t, jpeg), opened() and closed(pause_s, why, silent).
  constructor(url, heard) {
    this.url = url;
    this.#heard = heard;
    this.#open();
    setInterval(() => performance.now() - this.#newest > this.silentMs && this.#socket.onclose?.({ reason: "", silent: true }), LOOK_MS);
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
    this.#newest = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      opened = performance.now();
      this.#heard.opened();
    };
    socket.onmessage = ({ data }) => {
      this.#newest = performance.now();
      typeof data === "string" ? this.#heard.said(JSON.parse(data)) : this.#unpack(data);
    };
    // A socket whose network is gone stays open for minutes: it is let go of, and whatever it may yet say.
    socket.onclose = ({ reason, silent = false }) => {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      if (performance.now() - opened > STEADY_MS) this.#pause = FIRST_S;
      this.#newest = Infinity;
      this.#heard.closed(this.#pause, reason, silent);
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
