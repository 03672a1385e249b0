// Canvases in the page's own colours and at the screen's own sharpness.

// A 2D context in CSS pixels, cleared, with the canvas's size; the canvas follows its own layout.
export function sheet(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export class Colours {
  #known = new Map();
  #element;

  // Asked of the style sheet once for each theme.
  constructor(element) {
    this.#element = element;
    const forget = () => this.#known.clear();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);
    new MutationObserver(forget).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  of(name) {
    if (!this.#known.has(name)) this.#known.set(name, getComputedStyle(this.#element).getPropertyValue(`--${name}`).trim());
    return this.#known.get(name);
  }
}

export const font = (px, weight = 400) => `${weight} ${px}px system-ui, sans-serif`;

export const still = matchMedia("(prefers-reduced-motion: reduce)");
