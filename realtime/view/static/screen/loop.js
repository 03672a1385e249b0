// The face of an event as a small loop: onset, apex, the movement enlarged, and back. Side by side they look the same.

import * as words from "../words.js";
import { still } from "./ink.js";

const STEP_MS = 450;
const ORDER = [0, 1, 2, 1]; // of the pictures

// A button that shows `pictures`, [{ caption, jpeg }] with base64 JPEG, one after another; pressed, and where motion is
// not wanted, side by side.
export function loop(pictures) {
  const figures = pictures.map(figure);
  const button = Object.assign(document.createElement("button"), { type: "button", className: "loop" });
  button.append(...figures);
  const beside = (on) => {
    button.classList.toggle("beside", on);
    button.ariaPressed = String(on);
    button.ariaLabel = words.loop(on);
  };
  button.onclick = () => beside(!button.classList.contains("beside"));
  beside(still.matches);
  run(button, figures);
  return button;
}

function run(button, figures) {
  const steps = ORDER.filter((at) => at < figures.length);
  let step = 0;
  const show = () => figures.forEach((each, at) => each.classList.toggle("now", at === steps[step % steps.length]));
  const timer = setInterval(() => {
    if (!button.isConnected) return clearInterval(timer);
    step += 1;
    show();
  }, STEP_MS);
  show();
}

function figure({ caption, jpeg }) {
  const whole = document.createElement("figure");
  const picture = Object.assign(new Image(), { src: `data:image/jpeg;base64,${jpeg}`, alt: words.picture(caption) });
  whole.append(picture, Object.assign(document.createElement("figcaption"), { textContent: caption }));
  return whole;
}
