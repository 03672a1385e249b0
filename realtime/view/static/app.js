// Puts the modules together: what Gradio's controls call, and what the page does of it.

import { Camera } from "./camera/camera.js";
import { settings } from "./camera/controls.js";
import { Flight } from "./camera/flight.js";
import { Link, address } from "./camera/link.js";
import { Choices } from "./choices.js";
import { Conversation } from "./conversation.js";
import { Notice } from "./screen/notice.js";
import { Screen } from "./screen/screen.js";
import * as words from "./words.js";

class App {
  #parts;
  #changed;
  #heard = new Conversation(this);
  #allowed = null; // when the browser gave its camera, until the first overlay is drawn
  flight = new Flight();
  choices = new Choices();
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
      wanted: () => this.flight.room && this.link.isOpen && this.#heard.welcome !== null,
      encoded: (number, captured, bytes) => {
        this.flight.add(number, captured);
        this.screen.view.size = this.camera.size;
        this.link.send(bytes);
      },
      ended: () => this.#stopped(words.messages.unplugged),
      still: (why) => this.#still(why),
    });
    this.notice.show("camera", words.messages.idle);
    this.notice.show("server", words.messages.connecting);
    this.link = new Link(address(), this.#heard);
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#list());
    this.#list();
  }

  get lag() {
    const { p50, p95, count } = this.screen.lag;
    return { p50, p95, count };
  }

  // What Gradio's controls call.

  async toggle() {
    this.choices.picked = true;
    if (this.running) this.#stopped(words.messages.stopped);
    else await this.start();
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
    if (on) this.#parts.details.open = true; // where the alarms are counted
    return on;
  }

  choose(name, value) {
    this.choices[name] = value;
    if (name === "landmarks") this.screen.view.landmarks = value;
    if (name === "camera") this.#change();
    else if (name !== "video") this.#heard.hello();
    return value;
  }

  controls() {
    const { running, recording, neutral, choices } = this;
    return settings({ running, recording, neutral, choices, welcome: this.#heard.welcome });
  }

  // What the conversation with the server asks for.

  async start() {
    this.running = true;
    this.firstOverlayMs = this.#allowed = null;
    this.screen.clear();
    this.screen.view.own = this.choices.own;
    this.update();
    this.#heard.hello();
    this.notice.hide("camera");
    if (!this.choices.own) return;
    try {
      this.notice.show("question", words.messages.asking);
      const allowed = await this.camera.open(this.choices.device);
      if (allowed === null) return; // stopped, or another camera chosen, while the browser asked
      this.notice.hide("question");
      this.#allowed = allowed;
      this.screen.view.mirrored = this.camera.mirrored;
      this.#list();
    } catch (error) {
      this.#stopped(words.messages[error.name] ?? words.messages.failed(error));
    }
  }

  records(on) {
    this.recording = on;
    this.update();
  }

  saved(url, messages) {
    this.notice.saved(url, messages);
    this.update();
  }

  // The connection is lost.
  cut() {
    if (this.recording) this.notice.unsaved();
    this.recording = false;
    this.screen.clear();
    this.flight.clear();
    this.update();
  }

  update() {
    const { running, recording, choices } = this;
    const { own: camera, video } = choices;
    const shows = this.#heard.welcome?.recorded ?? false;
    this.notice.banner({ running, recording, kept: this.notice.keeps, video, camera, shows });
    this.#parts.video.hidden = !(running && camera);
    this.#parts.picture.hidden = !(running && !camera);
    this.#parts.video.classList.toggle("mirrored", this.screen.view.mirrored);
    this.#changed();
  }

  // The rest is the page's own.

  #still(why) {
    this.screen.clear();
    why ? this.notice.show("camera", words.messages.still[why]) : this.notice.hide("camera");
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
    this.update();
  }

  #change() {
    this.choices.picked = true;
    this.screen.forget();
    const running = this.running;
    if (running) this.#stopped(words.messages.stopped);
    if (running || !this.choices.own) this.start();
  }

  async #list() {
    await this.choices.list(this.camera);
    this.update();
  }

  #drawn(state) {
    if (this.#allowed === null || !state.faces.length) return;
    this.firstOverlayMs = performance.now() - this.#allowed;
    this.#allowed = null;
  }
}

export function begin(changed) {
  const parts = Object.fromEntries([...document.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  window.glimpse = new App(parts, changed);
}
