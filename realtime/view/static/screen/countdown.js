// The seconds of calibrating, counted down in words, and what came of them.

import * as words from "../words.js";

const TOLD_S = 3;
const LOST_S = 1; // a face that was not seen for so long is lost, and what was measured of it too

export class Countdown {
  #element;
  #later = null;
  #faces = null; // ids of those who were there first
  #seen = -Infinity; // when one of them was seen last

  constructor(element) {
    this.#element = element;
  }

  begin(seconds) {
    this.#faces = null;
    this.#seen = -Infinity;
    this.#count(seconds);
  }

  state({ faces }) {
    if (faces.length) this.#faces ??= faces.map(({ id }) => id);
    if (faces.some(({ id }) => this.#faces.includes(id))) this.#seen = performance.now();
  }

  clear() {
    clearTimeout(this.#later);
    this.#element.hidden = true;
  }

  #count(seconds) {
    this.clear();
    this.#element.hidden = false;
    this.#element.textContent = seconds > 0 ? words.countdown(Math.ceil(seconds)) : this.#result;
    const next = () => (seconds > 0 ? this.#count(seconds - 1) : this.clear());
    this.#later = setTimeout(next, (seconds > 0 ? Math.min(seconds, 1) : TOLD_S) * 1000);
  }

  get #result() {
    return performance.now() - this.#seen < LOST_S * 1000 ? words.calibrated : words.notCalibrated;
  }
}
