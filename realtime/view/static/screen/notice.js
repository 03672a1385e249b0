// What is said in words: the banner, the message over the picture, what became of a recording.

import * as words from "../words.js";

export class Notice {
  #parts;
  #later = null;
  #forgotten = null; // when the recording is
  #lasting = null; // what a brief message gives way to

  constructor(parts) {
    this.#parts = parts;
  }

  banner(now) {
    const [inference, rest] = words.banner(now);
    const strong = Object.assign(document.createElement("strong"), { textContent: inference });
    this.#parts.banner.replaceChildren(strong, ` ${rest}`);
    this.#parts.banner.classList.toggle("live", now.running);
  }

  // For `seconds`, or until hidden.
  show(message, seconds = Infinity) {
    const brief = seconds < Infinity;
    clearTimeout(this.#later);
    if (brief) this.#later = setTimeout(() => (this.#lasting ? this.show(this.#lasting) : this.hide()), seconds * 1000);
    else this.#lasting = message;
    const [title, text] = message;
    const [strong, p] = ["strong", "p"].map((tag) => document.createElement(tag));
    strong.textContent = title;
    p.textContent = text;
    this.#parts.message.replaceChildren(strong, p);
    this.#parts.message.classList.toggle("brief", brief);
    this.#parts.message.hidden = false;
  }

  hide() {
    clearTimeout(this.#later);
    this.#lasting = null;
    this.#parts.message.hidden = true;
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
