// What is said in words: the banner, the message over the picture, what became of a recording.

import * as words from "../words.js";

// Of what is true at once the first is said: a question that waits for the person, what the server says, that
// there is no time for one more camera, the camera.
const LAYERS = ["question", "server", "place", "camera"];

export class Notice {
  #parts;
  #later = null;
  #forgotten = null; // when the recording is
  #lasting = new Map(); // layer -> message

  constructor(parts) {
    this.#parts = parts;
  }

  banner(now) {
    const [inference, rest] = words.banner(now);
    const strong = Object.assign(document.createElement("strong"), { textContent: inference });
    this.#parts.banner.replaceChildren(strong, ` ${rest}`);
    this.#parts.banner.classList.toggle("live", now.running && !now.shows);
  }

  // Until `hide` of this layer: what lies above is seen, and what lies below again after it.
  show(layer, message) {
    this.#lasting.set(layer, message);
    this.#stay();
  }

  hide(layer) {
    if (this.#lasting.delete(layer)) this.#stay();
  }

  // Over all others, for `seconds`.
  brief(message, seconds) {
    this.#draw(message, true);
    this.#later = setTimeout(() => this.#stay(), seconds * 1000);
  }

  #stay() {
    const layer = LAYERS.find((name) => this.#lasting.has(name));
    this.#draw(this.#lasting.get(layer) ?? null, false);
  }

  #draw(message, brief) {
    clearTimeout(this.#later);
    const place = this.#parts.message;
    place.hidden = message === null;
    if (message === null) return;
    place.replaceChildren(...["strong", "p"].map((tag, at) => Object.assign(document.createElement(tag), { textContent: message[at] })));
    place.classList.toggle("brief", brief);
  }

  // Whether a recording lies on the server, to be fetched.
  get keeps() {
    return !this.#parts.saved.hidden && this.#parts.saved.querySelector("a") !== null;
  }

  saved(url, messages) {
    clearTimeout(this.#forgotten);
    this.#forgotten = setTimeout(() => (this.#parts.saved.hidden = true), words.KEPT_MS);
    this.#kept(Object.assign(document.createElement("a"), { href: url, download: "", textContent: words.saved(messages) }));
  }

  unsaved() {
    this.#kept(words.unsaved);
  }

  #kept(what) {
    this.#parts.saved.replaceChildren(what);
    this.#parts.saved.hidden = false;
  }
}
