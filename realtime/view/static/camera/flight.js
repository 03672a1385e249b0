// The pictures that are under way: sent, and neither they nor a later one answered.

const MOST = 2;
const PATIENCE_MS = 1000; // a picture unanswered for longer was lost
const KEPT = 60;

export class Flight {
  #sent = new Map(); // number -> { captured, at }, both ms on the page's clock, oldest first

  get room() {
    const since = performance.now() - PATIENCE_MS;
    let waiting = 0;
    for (const { at } of this.#sent.values()) if (at > since) waiting += 1;
    return waiting < MOST;
  }

  add(number, captured) {
    this.#sent.set(number, { captured, at: performance.now() });
    if (this.#sent.size > KEPT) this.#sent.delete(this.#sent.keys().next().value);
  }

  // When the picture `number` was captured, undefined if it is not known; it and all before it are no longer under way.
  answered(number) {
    const captured = this.#sent.get(number)?.captured;
    for (const each of this.#sent.keys()) if (each <= number) this.#sent.delete(each);
    return captured;
  }

  clear() {
    this.#sent.clear();
  }
}
