// What the server says, as the page acts on it.

import * as words from "./words.js";

const BRIEF_S = 6;

export class Conversation {
  #app;
  #hears = {
    welcome: (message) => this.#welcomed(message),
    wait: (message) => this.#waits(message),
    state: ({ state }) => this.#state(state),
    event: ({ event }) => this.#event(event),
    meta: ({ meta }) => this.#shows(meta) && this.#app.screen.meta(meta),
    moment: (message) => this.#app.screen.events.moment(message),
    calibrating: ({ seconds }) => this.#app.screen.countdown.begin(seconds),
    recording: ({ on }) => this.#app.records(on),
    recorded: ({ url, messages }) => this.#app.saved(url, messages),
    problem: ({ what, text }) => this.#problem(what, text),
    back: () => this.#back(),
  };
  welcome = null; // what the server said last of cameras and heads

  constructor(app) {
    this.#app = app;
  }

  // As Link calls them.

  opened() {
    this.hello();
  }

  said(message) {
    this.#hears[message.kind]?.(message);
  }

  picture(frame, t, jpeg) {
    if (this.#app.running) this.#app.screen.picture(frame, t, jpeg);
  }

  closed(pause, why, silent) {
    this.welcome = null;
    const { turnedAway, gone, silent: heardOfNothing } = words.messages;
    this.#app.notice.hide("place");
    this.#app.notice.show("server", why ? turnedAway(why) : (silent ? heardOfNothing : gone)(pause));
    this.#app.cut();
  }

  hello() {
    this.#app.link.say(this.#app.choices.hello);
  }

  #welcomed(message) {
    const { choices, notice, running, screen } = this.#app;
    const first = this.welcome === null;
    this.welcome = message;
    if (!choices.own && !message.cameras.includes(choices.camera)) screen.ended();
    const shown = message.cameras.length > 0 && !choices.picked && !running;
    if (first || shown) notice.hide("server");
    if (!shown) return this.#app.update();
    choices.camera = message.cameras[0];
    this.#app.start();
  }

  #waits({ ahead, why }) {
    this.welcome = null;
    this.#app.screen.clear();
    this.#app.notice.show("server", words.messages.waiting(ahead, why));
    this.#app.update();
  }

  #state(state) {
    if (!this.#shows(state)) return;
    const { choices, flight, notice, screen } = this.#app;
    for (const layer of ["place", "server"]) notice.hide(layer); // who answers is there
    screen.state(state, choices.own ? flight.answered(state.frame) : undefined);
  }

  #event(event) {
    if (!this.#shows(event)) return;
    this.#app.screen.event(event);
    if (this.#app.choices.pictures && event.stage === "final") this.#app.link.say({ do: "moment", event: event.id });
  }

  #problem(what, text) {
    const { notice, screen } = this.#app;
    const told = [words.problems[what] ?? words.problems.refused, text];
    if (what === "full") return notice.show("place", told);
    if (what !== "recogniser-gone") return notice.brief(told, BRIEF_S);
    screen.ended();
    notice.show("server", told);
  }

  #back() {
    this.#app.notice.hide("server");
    this.#app.screen.clear();
    this.hello();
  }

  // Of the stream that is watched: what comes late of another one is not shown.
  #shows({ camera }) {
    const { choices, running } = this.#app;
    return running && camera === (choices.own ? this.welcome?.camera : choices.camera);
  }
}
