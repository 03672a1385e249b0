// Everything that is drawn: what arrives is kept, and drawn when the browser is ready for it.

import { Bars } from "./bars.js";
import { Countdown } from "./countdown.js";
import { Events } from "./events.js";
import { Headline } from "./headline.js";
import { still } from "./ink.js";
import { Lag } from "./lag.js";
import { Overlay } from "./overlay.js";
import { Pace } from "./pace.js";
import { Plot } from "./plot.js";
import { Status } from "./status.js";
import * as words from "../words.js";

const KEPT_STATES = 120; // to find the one that belongs to a picture of the server's camera
const PLOT_MS = 50;
const SLOW_MS = 200; // numbers that change faster cannot be read
const STALE_MS = 2000; // without a newer state for so long nobody knows where the face is

export class Screen {
  #parts;
  #states = new Map(); // frame -> state
  #t = 0; // of the newest
  #came = 0; // when the newest came, on the page's clock
  #stale = false; // it is too old to be shown
  #fresh = false; // the newest state or picture is not drawn yet
  #shown = null; // { frame, t } of the server's picture on the screen
  #decoding = false;
  #plotted = 0;
  #slow = 0;
  #pace = new Pace();
  #leftOut = ""; // what the computer has no time for, as the recogniser says it
  lag = new Lag();
  view = { landmarks: false, mirrored: false, own: true, size: null };

  // `drawn(state)` is called once an overlay stands on the screen.
  constructor(parts, drawn) {
    this.#parts = parts;
    this.drawn = drawn;
    this.overlay = new Overlay(parts.overlay);
    this.plot = new Plot(parts.plot);
    this.bars = new Bars(parts.bars, parts.whose);
    this.events = new Events(parts.events, parts.withdrawn, parts.said);
    this.headline = new Headline(parts.headline, parts.conditions);
    this.status = new Status(parts.status);
    this.countdown = new Countdown(parts.countdown);
    const draw = () => {
      requestAnimationFrame(draw);
      this.#draw(performance.now());
    };
    draw();
  }

  state(state, captured) {
    if (state.t < this.#t) this.#anew();
    this.#t = state.t;
    [this.#came, this.#stale] = [performance.now(), false];
    this.#states.set(state.frame, { ...state, captured });
    if (this.#states.size > KEPT_STATES) this.#states.delete(this.#states.keys().next().value);
    for (const each of [this.#pace, this.plot, this.headline, this.events, this.status, this.countdown]) each.state(state);
    if (this.view.own) this.#fresh = true;
  }

  event(event) {
    this.events.slow = this.#leftOut ? "computer" : this.#pace.limit;
    for (const each of [this.overlay, this.plot, this.headline, this.events, this.status]) each.event(event);
  }

  meta(meta) {
    this.status.meta(meta);
    this.#leaveOut(meta.left_out);
  }

  // Another camera is watched: what was told of the one is no news of the other.
  forget() {
    for (const each of [this.headline, this.events]) each.forget();
  }

  // No more comes, for now: what was left out of it is no news any more.
  ended() {
    this.#leaveOut("");
  }

  // A picture of the server's camera; one that comes while another is decoded gives way to the next.
  async picture(frame, t, jpeg) {
    if (this.view.own || this.#decoding) return;
    this.#decoding = true;
    const picture = await createImageBitmap(jpeg).catch(() => null);
    this.#decoding = false;
    if (!picture || this.view.own) return;
    const { width, height } = picture;
    if (this.#parts.picture.width !== width || this.#parts.picture.height !== height) Object.assign(this.#parts.picture, { width, height });
    this.#parts.picture.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    this.view.size = { width, height };
    this.#shown = { frame, t };
    this.#fresh = true;
  }

  clear() {
    this.#anew();
    this.#fresh = false;
    this.#shown = null;
    this.lag = new Lag();
    this.#parts.picture.getContext("2d").clearRect(0, 0, this.#parts.picture.width, this.#parts.picture.height);
    this.#parts.warnings.replaceChildren();
    this.ended();
  }

  // A sentence of the recogniser. A screen reader says it whenever the text is set, even to the same.
  #leaveOut(sentence) {
    this.#leftOut = sentence;
    if (this.#parts.left_out.textContent !== sentence) this.#parts.left_out.textContent = sentence;
  }

  // A stream begins, whose time, faces and events are numbered anew.
  #anew() {
    this.#t = 0;
    this.#states.clear();
    for (const each of [this.#pace, this.overlay, this.plot, this.bars, this.headline, this.events, this.status, this.countdown]) each.clear();
  }

  #draw(now) {
    if (!this.#stale && now - this.#came > STALE_MS) this.#forgetFaces();
    const state = this.#stale ? null : this.#due();
    if (state && this.#fresh && this.view.size) {
      this.#fresh = false;
      this.overlay.draw(state, this.view.size, this.view);
      const behind = this.view.own ? now - state.captured : (this.#shown.t - state.t) * 1000;
      if (behind >= 0) this.lag.add(behind);
      this.drawn(state);
    }
    if (now - this.#plotted > (still.matches ? 1000 : PLOT_MS)) {
      this.#plotted = now;
      this.plot.draw();
    }
    if (now - this.#slow > SLOW_MS) {
      this.#slow = now;
      const { rates, limit } = this.#pace;
      this.status.draw(this.lag, rates);
      if (!state) return;
      this.bars.draw(state);
      this.headline.draw(state, { rates, limit, leftOut: this.#leftOut });
      this.#warn(state);
    }
  }

  // No box, label or warning outlives what it is about.
  #forgetFaces() {
    this.#stale = true;
    this.#states.clear();
    this.overlay.blank();
    this.bars.clear();
    this.headline.blank();
    this.#parts.warnings.replaceChildren();
  }

  // The newest state of the own camera; of the server's the one that belongs to the picture on the screen.
  #due() {
    const states = [...this.#states.values()];
    if (this.view.own || !this.#shown) return states.at(-1);
    return states.findLast((state) => state.frame <= this.#shown.frame);
  }

  #warn({ faces }) {
    const told = new Set(faces.length ? faces.flatMap(({ quality }) => quality.reasons) : []);
    const warnings = faces.length ? [...told].map((reason) => words.quality[reason] ?? reason) : [words.noFace];
    const list = this.#parts.warnings;
    if ([...list.children].map((item) => item.textContent).join() === warnings.join()) return;
    list.replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
}
