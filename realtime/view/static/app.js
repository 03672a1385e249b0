// Puts the modules together: what the person chose, what the server says, and what the page shows of both.

import { Camera } from "./camera/camera.js";
import { BROWSER, ownCameras, settings } from "./camera/controls.js";
import { Flight } from "./camera/flight.js";
import { Link, address } from "./camera/link.js";
import { Notice } from "./screen/notice.js";
import { Screen } from "./screen/screen.js";
import * as words from "./words.js";

class App {
  #parts;
  #changed;
  #hears = {
    welcome: (message) => this.#welcomed(message),
    wait: (message) => this.#waits(message),
    state: ({ state }) => this.#state(state),
    event: ({ event }) => this.#event(event),
    meta: ({ meta }) => this.#shows(meta) && this.screen.meta(meta),
    moment: (message) => this.screen.events.moment(message),
    calibrating: ({ seconds }) => this.screen.countdown.begin(seconds),
    recording: ({ on }) => this.#records(on),
    recorded: ({ url, messages }) => this.#saved(url, messages),
    problem: ({ what, text }) => this.#problem(what, text),
    back: () => this.#back(),
  };
  #flight = new Flight();
  #devices = [];
  #welcome = null; // what the server said last of cameras and heads
  #allowed = null; // when the browser gave its camera, until the first overlay is drawn
  #picked = false; // the person chose a camera
  choices = { camera: BROWSER, head: "", landmarks: false, pictures: false, video: false };
  running = false;
  recording = false;
  neutral = false;
  firstOverlayMs = null;

  // `changed` is called when Gradio's controls must be brought up to date.
  constructor(parts, changed) {
    this.#parts = parts;
    this.#changed = changed;
    this.notice = new Notice(parts);
    this.screen = new Screen(parts, (state) => this.#drawn(state));
    this.camera = new Camera(parts.video, {
      wanted: () => this.#flight.room && this.link.isOpen && this.#welcome !== null,
      encoded: (number, captured, bytes) => {
        this.#flight.add(number, captured);
        this.screen.view.size = this.camera.size;
        this.link.send(bytes);
      },
      ended: () => this.#stopped(words.messages.unplugged),
      still: (why) => this.#still(why),
    });
    this.notice.show("camera", words.messages.idle);
    this.notice.show("server", words.messages.connecting);
    this.link = new Link(address(), this);
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#list());
    this.#list();
  }

  get lag() {
    const { p50, p95, count } = this.screen.lag;
    return { p50, p95, count };
  }

  get #own() {
    return this.choices.camera.startsWith(BROWSER);
  }

  // The stream that is watched: what comes late of another one is not shown.
  get #watched() {
    return this.#own ? this.#welcome?.camera : this.choices.camera;
  }

  // What Gradio's controls call.

  async toggle() {
    this.#picked = true;
    if (this.running) this.#stopped(words.messages.stopped);
    else await this.#start();
  }

  calibrate() {
    this.link.say({ do: "neutral" });
  }

  record() {
    this.link.say({ do: "record", on: !this.recording, video: this.choices.video });
  }

  markNeutral(on) {
    this.neutral = on;
    this.screen.status.mark(on);
    return on;
  }

  choose(name, value) {
    this.choices[name] = value;
    if (name === "landmarks") this.screen.view.landmarks = value;
    if (name === "camera") this.#change();
    else if (name !== "video") this.#hello();
    return value;
  }

  controls() {
    const { running, recording, neutral, choices } = this;
    return settings({ running, recording, neutral, choices, welcome: this.#welcome, devices: this.#devices });
  }

  // What the link tells.

  opened() {
    this.#hello();
  }

  closed(pause, why, silent) {
    this.#welcome = null;
    if (this.recording) this.notice.unsaved();
    this.recording = false;
    this.screen.clear();
    this.#flight.clear();
    const { turnedAway, gone, silent: heardOfNothing } = words.messages;
    this.notice.hide("place");
    this.notice.show("server", why ? turnedAway(why) : (silent ? heardOfNothing : gone)(pause));
    this.#update();
  }

  said(message) {
    this.#hears[message.kind]?.(message);
  }

  picture(frame, t, jpeg) {
    if (this.running) this.screen.picture(frame, t, jpeg);
  }

  #welcomed(message) {
    const first = this.#welcome === null;
    this.#welcome = message;
    if (!this.#own && !message.cameras.includes(this.choices.camera)) this.screen.ended();
    if (message.cameras.length && !this.#picked && !this.running) {
      this.choices.camera = message.cameras[0];
      this.notice.hide("server");
      return this.#start();
    }
    if (first) this.notice.hide("server");
    this.#update();
  }

  #waits({ ahead, why }) {
    this.#welcome = null;
    this.screen.clear();
    this.notice.show("server", words.messages.waiting(ahead, why));
    this.#update();
  }

  #state(state) {
    if (!this.#shows(state)) return;
    this.notice.hide("place");
    const captured = this.#own ? this.#flight.answered(state.frame) : undefined;
    this.screen.state(state, captured);
  }

  #event(event) {
    if (!this.#shows(event)) return;
    this.screen.event(event);
    if (this.choices.pictures && event.stage === "final") this.link.say({ do: "moment", event: event.id });
  }

  #records(on) {
    this.recording = on;
    this.#update();
  }

  #problem(what, text) {
    const told = [words.problems[what] ?? words.problems.refused, text];
    if (what === "full") return this.notice.show("place", told);
    if (what !== "recogniser-gone") return this.notice.brief(told, 6);
    this.screen.ended();
    this.notice.show("server", told);
  }

  #back() {
    this.notice.hide("server");
    this.screen.clear();
    this.#hello();
  }

  // The rest is between the two.

  #still(why) {
    this.screen.clear();
    why ? this.notice.show("camera", words.messages.still[why]) : this.notice.hide("camera");
  }

  #shows({ camera }) {
    return this.running && camera === this.#watched;
  }

  async #start() {
    this.running = true;
    this.firstOverlayMs = this.#allowed = null;
    this.screen.clear();
    this.screen.view.own = this.#own;
    this.#update();
    this.#hello();
    this.notice.hide("camera");
    if (!this.#own) return;
    try {
      this.notice.show("question", words.messages.asking);
      const allowed = await this.camera.open(this.choices.camera.slice(BROWSER.length + 1));
      if (allowed === null) return; // stopped, or another camera chosen, while the browser asked
      this.notice.hide("question");
      this.#allowed = allowed;
      this.screen.view.mirrored = this.camera.mirrored;
      this.#list();
    } catch (error) {
      this.#stopped(words.messages[error.name] ?? words.messages.failed(error));
    }
  }

  // However it came to it: the server must end the recording, of which the page says that nothing is stored.
  #stopped(message) {
    this.link.say({ do: "leave" });
    this.running = this.recording = false;
    this.markNeutral(false);
    this.camera.close();
    this.screen.clear();
    for (const layer of ["question", "place"]) this.notice.hide(layer);
    this.notice.show("camera", message);
    this.#update();
  }

  #saved(url, messages) {
    this.notice.saved(url, messages);
    this.#update();
  }

  #change() {
    this.#picked = true;
    this.screen.events.forget();
    const running = this.running;
    if (running) this.#stopped(words.messages.stopped);
    if (running || !this.#own) this.#start();
  }

  #hello() {
    const { camera, head, landmarks, pictures } = this.choices;
    this.link.say({ do: "hello", camera: this.#own ? BROWSER : camera, landmarks, pictures, head });
  }

  async #list() {
    this.#devices = await this.camera.devices();
    if (this.#devices.length && this.choices.camera === BROWSER) this.choices.camera = ownCameras(this.#devices)[0][1];
    this.#update();
  }

  #drawn(state) {
    if (this.#allowed === null || !state.faces.length) return;
    this.firstOverlayMs = performance.now() - this.#allowed;
    this.#allowed = null;
  }

  #update() {
    const { running, recording, choices } = this;
    this.notice.banner({ running, recording, kept: this.notice.keeps, video: choices.video, camera: this.#own });
    this.#parts.video.hidden = !(running && this.#own);
    this.#parts.picture.hidden = !(running && !this.#own);
    this.#parts.video.classList.toggle("mirrored", this.screen.view.mirrored);
    this.#changed();
  }
}

export function begin(changed) {
  const parts = Object.fromEntries([...document.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  window.glimpse = new App(parts, changed);
}
