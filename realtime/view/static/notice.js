// What is said in words: the banner, the message over the picture, the countdown, the link to a recording.

import * as words from "./words.js";

export class Notice {
  #parts;
  #later = null;

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
  show([title, text], seconds = Infinity) {
    clearTimeout(this.#later);
    const [strong, p] = ["strong", "p"].map((tag) => document.createElement(tag));
    strong.textContent = title;
    p.textContent = text;
    this.#parts.message.replaceChildren(strong, p);
    this.#parts.message.classList.toggle("brief", seconds < Infinity);
    this.#parts.message.hidden = false;
    if (seconds < Infinity) this.#later = setTimeout(() => this.hide(), seconds * 1000);
  }

  hide() {
    clearTimeout(this.#later);
    this.#parts.message.hidden = true;
  }

  count(seconds) {
    const countdown = this.#parts.countdown;
    countdown.hidden = false;
    countdown.textContent = seconds > 0 ? words.countdown(Math.ceil(seconds)) : words.calibrated;
    setTimeout(() => (seconds > 0 ? this.count(seconds - 1) : (countdown.hidden = true)), Math.min(seconds, 1) * 1000 || 2000);
  }

  saved(url, messages) {
    const link = Object.assign(document.createElement("a"), { href: url, download: "", textContent: words.saved(messages) });
    this.#parts.saved.replaceChildren(link);
    this.#parts.saved.hidden = false;
  }
}
