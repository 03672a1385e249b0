// The status line: how fast, how late, what is missing, what runs, and how often it was wrong about a neutral face.

import * as words from "./words.js";

export class Status {
  #values = {};
  #neutral = null; // { since, before_s, alarms: ids } while or after the person said so
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

  event(event) {
    if (!this.#neutral?.since) return;
    this.#neutral.alarms[event.stage === "withdrawn" ? "delete" : "add"](event.id);
  }

  // "I am neutral": every event from now until it is taken back is a false alarm.
  mark(on) {
    const now = performance.now() / 1000;
    if (on) this.#neutral = { since: now, length: 0, alarms: new Set() };
    else if (this.#neutral?.since) Object.assign(this.#neutral, { since: null, length: now - this.#neutral.since });
  }

  clear() {
    this.#meta = null;
    for (const name of ["rate", "latency", "lag", "gaps", "engine"]) this.#values[name].textContent = "–";
  }

  draw(lag) {
    if (lag.count) this.#show("lag", `${Math.round(lag.p50)} / ${Math.round(lag.p95)} ms`);
    this.#show("alarms", this.#neutral ? this.#alarms(this.#neutral) : words.notMarked);
    if (!this.#meta) return;
    const { rate_hz, latency_ms, gaps, dropped, engines } = this.#meta;
    const fallback = engines.find((engine) => engine.fallback)?.fallback;
    this.#show("rate", rate_hz.toFixed(1));
    this.#show("gaps", String(gaps + dropped));
    if (latency_ms.total) this.#show("latency", `${Math.round(latency_ms.total.p50)} / ${Math.round(latency_ms.total.p95)} ms`);
    const backends = new Set(engines.map(({ backend }) => backend));
    this.#show("engine", `${engines.map(({ name }) => name).join(", ")} (${[...backends].join(", ")})`);
    this.#values.engine.title = fallback ?? engines.map(({ name, precision }) => `${name}: ${precision}`).join(", ");
    this.#values.engine.classList.toggle("warned", Boolean(fallback));
  }

  #alarms({ since, length, alarms }) {
    const seconds = since ? performance.now() / 1000 - since : length;
    return words.alarms((alarms.size / Math.max(seconds, 1)) * 60, seconds);
  }

  #show(name, text) {
    if (this.#values[name].textContent !== text) this.#values[name].textContent = text;
  }
}
