// The movement of every face over the last seconds, its threshold, and what was found in it.

import { Colours, font, sheet } from "./ink.js";

const SPAN_S = 20;
const LEAST_TOP = 2; // the axis reaches at least so many thresholds
const ROOM = { left: 8, right: 8, top: 18, bottom: 16 };
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]]; // faces are told apart by these

export class Plot {
  #canvas;
  #colours;
  #looks = []; // { t, faces: [{ id, score, threshold }] }
  #events = new Map();
  #top = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#colours = new Colours(canvas);
  }

  state({ t, faces }) {
    this.#looks.push({ t, faces: faces.map(({ id, score, threshold }) => ({ id, score, threshold })) });
    while (this.#looks[0].t < t - SPAN_S - 1) this.#looks.shift();
  }

  event(event) {
    this.#events.set(event.id, event);
  }

  clear() {
    this.#looks = [];
    this.#events.clear();
  }

  draw() {
    const { context, width, height } = sheet(this.#canvas);
    const now = this.#looks.at(-1)?.t ?? 0;
    const threshold = this.#looks.findLast((look) => look.faces.length)?.faces[0].threshold;
    this.#top = this.#reach(threshold ?? 1);
    const axes = {
      x: (t) => ROOM.left + (1 - (now - t) / SPAN_S) * (width - ROOM.left - ROOM.right),
      y: (score) => height - ROOM.bottom - (Math.max(score, 0) / this.#top) * (height - ROOM.top - ROOM.bottom),
      right: width - ROOM.right,
      bottom: height - ROOM.bottom,
    };
    context.font = font(11);
    this.#grid(context, axes, now);
    if (threshold === undefined) return;
    this.#threshold(context, axes, threshold);
    context.save();
    context.beginPath();
    context.rect(ROOM.left, 0, axes.right - ROOM.left, height);
    context.clip();
    this.#forget(now);
    for (const event of this.#events.values()) this.#mark(context, axes, event, now);
    this.#curves(context, axes);
    context.restore();
  }

  #reach(threshold) {
    let most = LEAST_TOP * threshold;
    for (const { faces } of this.#looks) for (const { score } of faces) if (score > most) most = score;
    const step = 2 ** Math.ceil(Math.log2(most / threshold) * 2 - 1e-9); // a new scale is rare: steps of a root of two
    return threshold * Math.sqrt(step) * 1.02;
  }

  #forget(now) {
    for (const [id, event] of this.#events) if ((event.offset_s ?? event.apex_s) < now - SPAN_S) this.#events.delete(id);
  }

  #grid(context, axes, now) {
    context.strokeStyle = this.#colours.of("line");
    context.fillStyle = this.#colours.of("muted");
    context.lineWidth = 1;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    for (let ago = 0; ago <= SPAN_S; ago += 5) {
      const x = Math.round(axes.x(now - ago)) - 0.5;
      line(context, x, ROOM.top, x, axes.bottom);
      context.textAlign = ago === 0 ? "right" : ago === SPAN_S ? "left" : "center";
      context.fillText(ago ? `−${ago} s` : "now", x, axes.bottom + 13);
    }
    line(context, ROOM.left, axes.bottom + 0.5, axes.right, axes.bottom + 0.5);
  }

  #threshold(context, axes, threshold) {
    const y = Math.round(axes.y(threshold)) + 0.5;
    context.strokeStyle = this.#colours.of("muted");
    context.setLineDash([4, 4]);
    line(context, ROOM.left, y, axes.right, y);
    context.setLineDash([]);
  }

  // A span from onset to offset with the apex above it: diamond and plain for micro, square and hatched for macro.
  #mark(context, axes, event, now) {
    const gone = event.stage === "withdrawn";
    const colour = this.#colours.of(gone ? "muted" : event.kind);
    const [onset, apex] = [axes.x(event.onset_s), axes.x(event.apex_s)];
    const offset = axes.x(event.offset_s ?? Math.max(event.apex_s, now - 0.1));
    context.strokeStyle = context.fillStyle = colour;
    if (!gone) this.#span(context, axes, event.kind, onset, offset);
    context.setLineDash(event.stage === "final" ? [] : [2, 2]);
    line(context, onset, ROOM.top, onset, axes.bottom);
    if (event.offset_s !== null) line(context, offset, ROOM.top, offset, axes.bottom);
    context.setLineDash([]);
    symbol(context, event.kind, apex, ROOM.top - 9);
    gone ? context.stroke() : context.fill();
    if (!gone) line(context, apex, ROOM.top - 4, apex, axes.bottom);
  }

  #span(context, axes, kind, onset, offset) {
    const [wide, high] = [Math.max(offset - onset, 1), axes.bottom - ROOM.top];
    context.save();
    context.globalAlpha = kind === "micro" ? 0.22 : 0.12;
    context.fillRect(onset, ROOM.top, wide, high);
    if (kind === "macro") {
      context.globalAlpha = 0.5;
      context.beginPath();
      context.rect(onset, ROOM.top, wide, high);
      context.clip();
      for (let x = onset - high; x < offset; x += 6) line(context, x, axes.bottom, x + high, ROOM.top);
    }
    context.restore();
  }

  #curves(context, axes) {
    context.strokeStyle = this.#colours.of("ink");
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    const ids = new Set(this.#looks.flatMap(({ faces }) => faces.map((face) => face.id)));
    [...ids].forEach((id, at) => {
      context.setLineDash(DASHES[at % DASHES.length]);
      this.#curve(context, axes, id);
    });
    context.setLineDash([]);
    context.lineWidth = 1;
  }

  // The largest score of each pixel: a peak of one frame stays seen.
  #curve(context, axes, id) {
    context.beginPath();
    let [column, most, pen] = [null, 0, false];
    for (const { t, faces } of this.#looks) {
      const face = faces.find((each) => each.id === id);
      const x = Math.round(axes.x(t));
      if (column !== null && (x !== column || !face)) {
        pen ? context.lineTo(column, axes.y(most)) : context.moveTo(column, axes.y(most));
        [pen, most] = [true, 0];
      }
      column = face ? x : null;
      if (face) most = Math.max(most, face.score);
      else pen = false;
    }
    if (column !== null && pen) context.lineTo(column, axes.y(most));
    context.stroke();
  }
}

function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function symbol(context, kind, x, y) {
  context.beginPath();
  if (kind === "macro") return context.rect(x - 4.5, y - 4.5, 9, 9);
  context.moveTo(x, y - 6);
  for (const [dx, dy] of [[6, 0], [0, 6], [-6, 0]]) context.lineTo(x + dx, y + dy);
  context.closePath();
}
