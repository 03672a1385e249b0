// Events seen again: their frames in a loop, slowly, beside the same with the movement enlarged. No network is used.

const COLUMNS = 8;
const REST_MS = 400; // before a loop begins anew
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

class Player {
  #parts = {};
  #times;
  #side;
  #at = 0;
  #timer = null;

  constructor(element) {
    this.#times = JSON.parse(element.dataset.times);
    this.#side = Number(element.dataset.side);
    for (const part of element.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part;
    const { play, speed, place, back, on } = this.#parts;
    place.max = this.#times.length - 1;
    place.addEventListener("input", () => this.#stop(Number(place.value)));
    play.addEventListener("click", () => (this.#timer === null ? this.start() : this.#stop(this.#at)));
    back.addEventListener("click", () => this.#step(-1));
    on.addEventListener("click", () => this.#step(1));
    speed.addEventListener("change", () => this.#timer !== null && this.start());
    const strip = this.#parts.strip;
    strip.decode().then(() => this.#show(0), () => {});
  }

  start() {
    this.#stop(this.#at);
    this.#parts.play.textContent = "Pause";
    const next = () => {
      const last = this.#at === this.#times.length - 1;
      const ms = last ? REST_MS : ((this.#times[this.#at + 1] - this.#times[this.#at]) * 1000) / Number(this.#parts.speed.value);
      this.#timer = setTimeout(() => {
        this.#show(last ? 0 : this.#at + 1);
        next();
      }, ms);
    };
    next();
  }

  pause() {
    this.#stop(this.#at);
  }

  #stop(at) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#parts.play.textContent = "Play";
    this.#show(at);
  }

  #step(by) {
    const count = this.#times.length;
    this.#stop((this.#at + by + count) % count);
  }

  #show(at) {
    this.#at = at;
    const { strip, plain, enlarged, place, time, now } = this.#parts;
    const [side, rows] = [this.#side, Math.ceil(this.#times.length / COLUMNS)];
    const [x, y] = [(at % COLUMNS) * side, Math.floor(at / COLUMNS) * side];
    for (const [canvas, below] of [[plain, 0], [enlarged, rows * side]])
      canvas.getContext("2d").drawImage(strip, x, y + below, side, side, 0, 0, canvas.width, canvas.height);
    place.value = at;
    const t = this.#times[at]; // from the onset
    time.textContent = `${t < 0 ? "−" : "+"}${Math.abs(t).toFixed(2)} s`;
    const share = (t - this.#times[0]) / Math.max(this.#times.at(-1) - this.#times[0], 1e-9);
    if (now) now.style.insetInlineStart = `${share * 100}%`;
  }
}

const players = new Map();

for (const event of document.querySelectorAll("details.event")) {
  event.addEventListener("toggle", () => {
    const element = event.querySelector(".player");
    if (!element) return;
    if (!event.open) return players.get(event)?.pause();
    if (!players.has(event)) players.set(event, new Player(element));
    if (!still) players.get(event).start();
  });
  if (event.open) event.dispatchEvent(new Event("toggle"));
}

// A click on an event of a timeline, or an address that names one, opens it.
function openNamed() {
  const event = document.getElementById(location.hash.slice(1));
  if (!event?.matches("details.event")) return;
  event.closest("details.gone")?.setAttribute("open", "");
  event.open = true;
  event.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  event.querySelector("summary").focus({ preventScroll: true });
}
addEventListener("hashchange", openNamed);
for (const link of document.querySelectorAll("a.to-event")) link.addEventListener("click", () => setTimeout(openNamed));
openNamed();
