// How many of the camera's frames are analysed, by the wall clock: a stream's own clock runs slow with a slow computer.

const OVER_MS = 3000;
const LEAST_MS = 1500; // below it a rate is a guess
const KEEPS_UP = 0.8; // of the camera's frames: less is not for want of frames

export class Pace {
  #looks = []; // { at: when it came, in ms; t: its time on the stream's clock, in s; frames: that the camera gave since }

  state({ t, gap }, at = performance.now()) {
    if (t < this.#looks.at(-1)?.t) this.clear();
    this.#looks.push({ at, t, frames: 1 + gap });
    while (at - this.#looks[0].at > OVER_MS) this.#looks.shift();
  }

  clear() {
    this.#looks = [];
  }

  // { analysed, camera } in frames a second, null while unknown.
  get rates() {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    if (!first || last.at - first.at < LEAST_MS || last.t <= first.t) return null;
    const given = this.#looks.slice(1).reduce((sum, { frames }) => sum + frames, 0);
    return {
      analysed: ((this.#looks.length - 1) / (last.at - first.at)) * 1000,
      camera: given / (last.t - first.t),
    };
  }

  // Whose fault it is that there are not more: "computer", "camera" or, while unknown, "".
  get limit() {
    const rates = this.rates;
    if (rates === null) return "";
    return rates.analysed < KEEPS_UP * rates.camera ? "computer" : "camera";
  }
}
