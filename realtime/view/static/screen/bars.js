// The dynamic expression of the face that is nearest, as bars in the engine's own order, and whose it is.

import * as words from "../words.js";

export class Bars {
  #element;
  #title;
  #rows = new Map(); // label -> { bar, value }

  constructor(element, title) {
    this.#element = element;
    this.#title = title;
  }

  // Of a face that is too dark to be judged nothing is shown, whatever the engine makes of the noise.
  draw({ faces }) {
    const nearest = faces.reduce((best, face) => (face.box[2] > (best?.box[2] ?? 0) ? face : best), null);
    const dark = nearest?.quality.reasons.includes("dark") ?? false;
    const expression = dark ? {} : (nearest?.expression ?? {});
    const labels = Object.keys(expression);
    if (labels.length && labels.join() !== [...this.#rows.keys()].join()) this.#build(labels);
    const most = Math.max(...Object.values(expression));
    for (const [label, { row, bar, value }] of this.#rows) {
      const share = expression[label] ?? 0;
      bar.style.transform = `scaleX(${share})`;
      value.textContent = labels.length ? words.percent(share) : "";
      row.classList.toggle("most", share > 0 && share === most);
    }
    const title = words.expressionNow(nearest, faces.length > 1, dark);
    if (this.#title.textContent !== title) this.#title.textContent = title;
  }

  clear() {
    this.draw({ faces: [] });
  }

  #build(labels) {
    this.#rows.clear();
    const rows = labels.map((label) => {
      const [row, name, track, bar, value] = ["div", "span", "span", "i", "span"].map((tag) => document.createElement(tag));
      name.textContent = label;
      value.className = "value";
      track.className = "track";
      track.append(bar);
      row.append(name, track, value);
      this.#rows.set(label, { row, bar, value });
      return row;
    });
    this.#element.replaceChildren(...rows);
  }
}
