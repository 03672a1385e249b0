// The list of events, newest first: a final answer replaces the early one; what was withdrawn is a count to unfold.

import * as words from "../words.js";
import { loop } from "./loop.js";

const KEPT = 100;

export class Events {
  #list;
  #withdrawn; // <details>: how many, and which
  #said;
  #items = new Map(); // id -> li
  #whose = new Set(); // ids of events that were shown while there were several faces
  #several = false;
  slow = ""; // who is too slow: "camera", "computer" or "", as far as it is known

  // `list` and `withdrawn` show events, `said` tells them to a screen reader once they are final.
  constructor(list, withdrawn, said) {
    this.#list = list;
    this.#withdrawn = withdrawn;
    this.#said = said;
    this.forget();
  }

  state({ faces }) {
    this.#several = faces.length > 1;
  }

  event(event) {
    if (this.#several) this.#whose.add(event.id);
    const item = this.#items.get(event.id) ?? this.#begin(event.id);
    item.className = `${event.kind} ${event.stage}`;
    item.querySelector("[data-part=what]").replaceChildren(...line(event, this.slow, this.#whose.has(event.id)));
    this.#place(item, event.stage === "withdrawn" ? this.#withdrawn.querySelector("ol") : this.#list);
    if (event.stage !== "early") this.#said.textContent = words.announcement(event, this.slow);
  }

  // Onset, apex, and the onset with its movement exaggerated, as base64 JPEG.
  moment({ event, onset, apex, exaggerated, times }) {
    const pictures = [["onset", onset], ["apex", apex], [words.enlarged(times), exaggerated]];
    const shown = pictures.filter(([, jpeg]) => jpeg).map(([caption, jpeg]) => ({ caption, jpeg }));
    this.#items.get(event)?.querySelector("[data-part=moment]").replaceChildren(...(shown.length ? [loop(shown)] : []));
  }

  // Another camera is watched: what happened before the one is no news of the other.
  forget() {
    this.clear();
    this.#list.replaceChildren();
    this.#withdrawn.querySelector("ol").replaceChildren();
    this.#count();
  }

  // Another stream begins, whose events are numbered anew.
  clear() {
    this.#items.clear();
    this.#whose.clear();
    this.#several = false;
  }

  #begin(id) {
    const item = document.createElement("li");
    item.dataset.event = id;
    for (const part of ["what", "moment"]) item.append(Object.assign(document.createElement("div"), { className: part }));
    for (const part of item.children) part.dataset.part = part.className;
    this.#items.set(id, item);
    return item;
  }

  #place(item, list) {
    if (item.parentElement === list) return;
    list.prepend(item);
    if (list.children.length > KEPT) {
      const oldest = list.lastChild;
      const id = Number(oldest.dataset.event);
      if (this.#items.get(id) === oldest) this.#items.delete(id);
      oldest.remove();
    }
    this.#count();
  }

  #count() {
    const count = this.#withdrawn.querySelector("ol").children.length;
    this.#withdrawn.hidden = count === 0;
    this.#withdrawn.querySelector("summary").textContent = words.withdrawnCount(count, KEPT);
  }
}

function line(event, slow, whose) {
  const took = event.offset_s === null ? "…" : `${Math.round((event.offset_s - event.onset_s) * 1000)} ms`;
  const told = [element("time", clock(event)), element("span", event.kind, "kind")];
  const owner = whose ? [element("small", words.face(event.face), "whose")] : [];
  if (event.stage === "withdrawn") return [...told, element("s", event.label), element("span", words.reason(event, slow), "sure"), ...owner];
  const doubts = event.quality.map((reason) => words.quality[reason] ?? reason).join(", ");
  return [
    ...told,
    element("b", event.label),
    element("span", words.percent(event.confidence), "sure"),
    element("span", event.stage === "early" ? "early" : took, "took"),
    ...(event.units?.length ? [element("small", words.units(event), "units")] : []),
    ...owner,
    ...(doubts ? [element("small", doubts)] : []),
  ];
}

function element(tag, text, name = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: name });
}

// The time of day of the apex: the message came just after it was emitted.
function clock({ emitted_s, apex_s }) {
  return new Date(Date.now() - (emitted_s - apex_s) * 1000).toLocaleTimeString("en-GB");
}
