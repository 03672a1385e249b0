// On top: the last event in a sentence, and whether the conditions are good or what would make them so.

import * as words from "../words.js";

const SLOW_HZ = 24; // a camera that gives fewer misses half of the brief expressions, as it does in the dark

export class Headline {
  #event;
  #conditions;
  #told = new Map(); // id -> event that stands
  #before = null; // the last one of the stream before, whose time is another
  #several = false;

  constructor(event, conditions) {
    this.#event = event;
    this.#conditions = conditions;
    this.#write();
  }

  // The newest that was not withdrawn.
  event(event) {
    this.#told.delete(event.id);
    if (event.stage !== "withdrawn") this.#told.set(event.id, { ...event, whose: this.#several });
    this.#write();
  }

  state({ faces }) {
    this.#several = faces.length > 1;
  }

  // `rates` as Pace has them, `limit` who holds them down, `leftOut` what the recogniser says of that itself.
  draw({ faces }, { rates, limit, leftOut }) {
    const advice = [...new Set(faces.flatMap(({ quality }) => quality.reasons))].map((reason) => words.advice[reason] ?? reason);
    if (leftOut) advice.push(words.lessToDo);
    else if (limit === "computer") advice.push(words.computerSlow(rates));
    else if (limit === "camera" && rates.camera < SLOW_HZ) advice.push(words.cameraSlow(rates.camera));
    set(this.#conditions, faces.length ? words.conditions(advice) : words.nobody);
    this.#conditions.classList.toggle("good", faces.length > 0 && advice.length === 0);
  }

  // Nothing is seen now; what was told stays.
  blank() {
    set(this.#conditions, "");
    this.#conditions.classList.remove("good");
  }

  // Another stream begins, whose events are numbered anew.
  clear() {
    this.#before = this.#last;
    this.#told.clear();
    this.#several = false;
    this.blank();
  }

  // Another camera is watched.
  forget() {
    this.#told.clear();
    this.#before = null;
    this.#write();
  }

  get #last() {
    return [...this.#told.values()].reduce((last, each) => (last && last.apex_s > each.apex_s ? last : each), null) ?? this.#before;
  }

  #write() {
    const last = this.#last;
    set(this.#event, last ? words.sentence(last) : words.noEvent);
    this.#event.className = last?.kind ?? "";
  }
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
