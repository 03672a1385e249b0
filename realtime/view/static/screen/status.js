// What stands behind "Details": how fast, how late, what is missing, what runs, and how often it was wrong about a neutral face.

import * as words from "../words.js";

const LONGEST_S = 1; // between two states

export class Status {
  #values = {};
  #last = null; // the newest state
  #neutral = null; // once the person said so: { since, until } on the stream's clock, { seconds } with a face, alarms: ids
  #before = 0; // alarms of streams that ended meanwhile
  #meta = null;

  constructor(list) {
    for (const [name, title] of Object.entries(words.status)) {
      const [whole, term, value] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      term.textContent = title;
      value.textContent = "–";
      value.dataset.value = name;
      whole.append(term, value);
      list.append(whole);
      this.#values[name] = value;
    }
  }

  meta(meta) {
    this.#meta = meta;
  }

  // Time counts while there is a face to be wrong about, which a long silence does not tell.
  state(state) {
    const watched = this.#marked && this.#last?.faces.length && state.faces.length;
    if (watched) this.#neutral.seconds += Math.min(state.t - this.#last.t, LONGEST_S);
    this.#last = state;
  }

  event({ id, stage, onset_s }) {
    if (!this.#neutral) return;
    const { since, until, alarms } = this.#neutral;
    alarms[stage !== "withdrawn" && since <= onset_s && onset_s < until ? "add" : "delete"](id);
  }

  // "I am neutral": every event that begins from now on until it is taken back is a false alarm.
  mark(on) {
    const now = this.#last?.t ?? -Infinity;
    if (on) [this.#neutral, this.#before] = [{ since: now, until: Infinity, seconds: 0, alarms: new Set() }, 0];
    else if (this.#marked) this.#neutral.until = now;
  }

  get #marked() {
    return this.#neutral?.until === Infinity;
  }

  clear() {
    this.#meta = this.#last = null;
    if (this.#neutral) this.#anew(this.#neutral);
    for (const name of ["rate", "latency", "lag", "gaps", "engine", "threshold"]) this.#values[name].textContent = "–";
  }

  // `rates` as Pace has them.
  draw(lag, rates) {
    if (rates) this.#show("rate", words.frames(rates));
    const threshold = this.#last?.faces[0]?.threshold;
    if (threshold !== undefined) this.#show("threshold", threshold.toFixed(2));
    if (lag.count) this.#show("lag", `${Math.round(lag.p50)} / ${Math.round(lag.p95)} ms`);
    this.#show("alarms", this.#neutral ? this.#alarms(this.#neutral) : words.notMarked);
    if (!this.#meta) return;
    const { latency_ms, gaps, dropped, engines } = this.#meta;
    const fallback = engines.find((engine) => engine.fallback)?.fallback;
    this.#show("gaps", String(gaps + dropped));
    if (latency_ms.total) this.#show("latency", `${Math.round(latency_ms.total.p50)} / ${Math.round(latency_ms.total.p95)} ms`);
    const backends = new Set(engines.map(({ backend }) => backend));
    this.#show("engine", `${engines.map(({ name }) => name).join(", ")} (${[...backends].join(", ")})`);
    this.#values.engine.title = fallback ?? engines.map(({ name, precision }) => `${name}: ${precision}`).join(", ");
    this.#values.engine.classList.toggle("warned", Boolean(fallback));
  }

  // The next stream begins at 0, and so do the ids of its events.
  #anew({ alarms }) {
    this.#before += alarms.size;
    alarms.clear();
    Object.assign(this.#neutral, { since: -Infinity, until: this.#marked ? Infinity : -Infinity });
  }

  #alarms({ seconds, alarms }) {
    return words.alarms(((this.#before + alarms.size) / Math.max(seconds, 1)) * 60, seconds);
  }

  #show(name, text) {
    if (this.#values[name].textContent !== text) this.#values[name].textContent = text;
  }
}
