// How far behind the overlays are drawn: percentiles of the last few hundred, in ms.

const KEPT = 300;

export class Lag {
  #last = [];

  add(ms) {
    this.#last.push(ms);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  get count() {
    return this.#last.length;
  }

  get p50() {
    return this.#at(0.5);
  }

  get p95() {
    return this.#at(0.95);
  }

  #at(share) {
    const sorted = this.#last.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}
