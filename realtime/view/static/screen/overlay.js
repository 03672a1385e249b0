// Boxes, ids, labels and landmarks over the picture. A mirrored picture has mirrored boxes, never mirrored text.

import { font, sheet } from "./ink.js";
import * as words from "../words.js";

const CORNER = 0.18; // of the box's side
const TOLD_S = 2.5; // how long a label stays with its face

export class Overlay {
  #canvas;
  #told = new Map(); // face -> its newest event

  constructor(canvas) {
    this.#canvas = canvas;
  }

  event(event) {
    this.#told.set(event.face, event);
  }

  clear() {
    this.#told.clear();
    this.blank();
  }

  blank() {
    sheet(this.#canvas);
    this.#canvas.dataset.box = "";
  }

  // `size` is that of the picture whose pixels the state counts in.
  draw(state, size, { mirrored, landmarks }) {
    const { context, width, height } = sheet(this.#canvas);
    const place = fit(size, width, height, mirrored);
    for (const face of state.faces) {
      const box = place.box(face.box);
      brackets(context, box);
      if (landmarks && face.landmarks) dots(context, face.landmarks, place);
      this.#name(context, face, box, state.t, { width, height });
    }
    const seen = words.overlay(state.faces);
    if (this.#canvas.ariaLabel !== seen) this.#canvas.ariaLabel = seen;
    this.#canvas.dataset.box = state.faces.length ? place.box(state.faces[0].box).map(Math.round).join(" ") : "";
  }

  #name(context, face, [left, top, wide], t, sheet) {
    const event = this.#told.get(face.id);
    const fresh = event && event.stage !== "withdrawn" && Math.abs(t - event.emitted_s) < TOLD_S; // before it: of another stream
    const text = fresh ? `${face.id}  ${event.label} ${words.percent(event.confidence)}` : `${face.id}`;
    context.font = font(13, 600);
    const length = context.measureText(text).width + 14;
    const x = Math.min(Math.max(left + (wide - length) / 2, 2), sheet.width - length - 2);
    const y = Math.max(top - 26, 2);
    context.fillStyle = fresh ? (event.kind === "micro" ? "#0b6e75" : "#9a4500") : "rgb(20 23 26 / 0.75)";
    context.beginPath();
    context.roundRect(x, y, length, 20, 4);
    context.fill();
    context.fillStyle = "#fff";
    context.textBaseline = "middle";
    context.fillText(text, x + 7, y + 10.5);
  }
}

// Where the pixels of a picture lie in a canvas that shows it whole (`object-fit: contain`).
export function fit(size, width, height, mirrored) {
  const scale = Math.min(width / size.width, height / size.height);
  const left = (width - size.width * scale) / 2;
  const top = (height - size.height * scale) / 2;
  const across = (x) => left + (mirrored ? size.width - x : x) * scale;
  return {
    point: ([x, y]) => [across(x), top + y * scale],
    box: ([x, y, w, h]) => [across(mirrored ? x + w : x), top + y * scale, w * scale, h * scale],
  };
}

function brackets(context, [left, top, wide, high]) {
  const corner = CORNER * Math.min(wide, high);
  context.beginPath();
  for (const [x, y, dx, dy] of [
    [left, top, 1, 1],
    [left + wide, top, -1, 1],
    [left + wide, top + high, -1, -1],
    [left, top + high, 1, -1],
  ]) {
    context.moveTo(x + dx * corner, y);
    context.lineTo(x, y);
    context.lineTo(x, y + dy * corner);
  }
  for (const [colour, width] of [["rgb(0 0 0 / 0.5)", 4], ["#fff", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

function dots(context, landmarks, place) {
  context.fillStyle = "rgb(140 235 240 / 0.9)";
  for (const landmark of landmarks) {
    const [x, y] = place.point(landmark);
    context.fillRect(x - 0.75, y - 0.75, 1.5, 1.5);
  }
}
