// The list of events, newest first: a final answer replaces the early one, a withdrawn one is struck with its reason.

import * as words from "../words.js";

const KEPT = 100;

export class Events {
  #list;
  #said;
  #items = new Map(); // id -> li
  #whose = new Set(); // ids of events that were shown while there were several faces
  #several = false;
  leftOut = ""; // what the computer has no time for

  // `list` shows events, `said` tells them to a screen reader once they are final.
  constructor(list, said) {
    this.#list = list;
    this.#said = said;
  }

  state({ faces }) {
    this.#several = faces.length > 1;
  }

  event(event) {
    if (this.#several) this.#whose.add(event.id);
    const item = this.#items.get(event.id) ?? this.#begin(event.id);
    item.className = `${event.kind} ${event.stage}`;
    item.querySelector("[data-part=what]").replaceChildren(...line(event, this.leftOut, this.#whose.has(event.id)));
    if (event.stage !== "early") this.#said.textContent = words.announcement(event, this.leftOut);
  }

  // Onset, apex, and the onset with its movement exaggerated, as base64 JPEG.
  moment({ event, onset, apex, exaggerated, times }) {
    const pictures = [["onset", onset], ["apex", apex], [`movement × ${times}`, exaggerated]];
    const figures = pictures.filter(([, jpeg]) => jpeg).map(([caption, jpeg]) => figure(caption, jpeg));
    this.#items.get(event)?.querySelector("[data-part=moment]").replaceChildren(...figures);
  }

  // Another camera is watched: what happened before the one is no news of the other.
  forget() {
    this.clear();
    this.#list.replaceChildren();
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
    this.#list.prepend(item);
    if (this.#list.children.length > KEPT) {
      this.#items.delete(Number(this.#list.lastChild.dataset.event));
      this.#list.lastChild.remove();
    }
    return item;
  }
}

function line(event, leftOut, whose) {
  const took = event.offset_s === null ? "…" : `${Math.round((event.offset_s - event.onset_s) * 1000)} ms`;
  const told = [element("time", clock(event)), element("span", event.kind, "kind")];
  if (event.stage === "withdrawn") return [...told, element("s", event.label), element("span", words.reason(event, leftOut), "sure")];
  const doubts = event.quality.map((reason) => words.quality[reason] ?? reason).join(", ");
  return [
    ...told,
    element("b", event.label),
    element("span", words.percent(event.confidence), "sure"),
    element("span", event.stage === "early" ? "early" : took, "took"),
    ...(event.units?.length ? [element("small", words.units(event), "units")] : []),
    ...(whose ? [element("small", words.face(event.face), "whose")] : []),
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

function figure(caption, jpeg) {
  const whole = document.createElement("figure");
  const picture = Object.assign(new Image(), { src: `data:image/jpeg;base64,${jpeg}`, alt: `The face: ${caption}` });
  whole.append(picture, element("figcaption", caption));
  return whole;
}
