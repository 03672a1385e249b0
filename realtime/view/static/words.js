// Every text that a person reads and that changes while the page is open; the rest stands in the markup.

export const quality = {
  small: "come closer",
  blurred: "hold still",
  dark: "too dark",
  bright: "too bright",
  turned: "turn to the camera",
  lost: "the face was lost",
};

export const withdrawn = {
  unsure: "too unlikely to be an expression",
  lost: "the face was lost",
  calibrated: "calibration began",
  none: "it showed no expression",
  sparse: "too few frames of it: the camera is too slow",
};

export const sparse = "too few frames of it"; // where the computer is too slow, which it says itself

export const kinds = { micro: "Micro-expression", macro: "Macro-expression" };

export const noFace = "no face in the picture";

export function rate(hz, shortest_s) {
  return `${Math.round(hz)} fps: shorter than ${Math.round(shortest_s * 1000)} ms cannot be seen`;
}

export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

// Where there are several, whose it is: the number stands by the face in the picture.
export const face = (id) => `face ${id}`;

export function expressionNow(nearest, several, dark) {
  const whose = nearest && several ? ` of ${face(nearest.id)}` : "";
  return `Expression now${whose}${dark ? ": too dark to tell" : ""}`;
}

// `leftOut` is what the computer has no time for, in words.
export function announcement(event, leftOut) {
  if (event.stage === "withdrawn") return `Withdrawn: ${reason(event, leftOut)}.`;
  const moved = event.units?.length ? ` ${units(event)}.` : "";
  return `${kinds[event.kind]}: ${event.label}, ${percent(event.confidence)} sure.${moved}`;
}

// What moved, as the event says it itself: the strongest first.
export function units(event) {
  return event.units.map((unit) => unit.words).join("; ");
}

export function reason(event, leftOut) {
  if (leftOut && event.reason === "sparse") return sparse;
  return withdrawn[event.reason] ?? event.reason;
}

export function overlay(faces) {
  if (!faces.length) return "Camera picture; no face in it";
  return `Camera picture with ${faces.length === 1 ? "one face" : `${faces.length} faces`}`;
}

// The server keeps a recording for so long after its end.
export const KEPT_MS = 600_000;

export function banner({ running, recording, kept, video, camera }) {
  const inference = running ? "Emotion inference is running." : "Emotion inference is off.";
  const pictures = recording
    ? `A recording is being written to disk, ${video ? "with" : "without"} video.`
    : `Pictures ${camera ? "go to this Glimpse and" : "stay in this Glimpse and go"} nowhere else; ${stored(kept)}.`;
  return [
    inference,
    `${pictures} An event is a candidate with a confidence, not a fact. In the EU the AI Act forbids this at work and in schools.`,
  ];
}

function stored(kept) {
  return kept ? "your recording lies on its disk for ten minutes" : "nothing is stored";
}

export const cameras = {
  browser: "This device",
  numbered: (number) => `Camera ${number} of this device`,
  server: (name) => (name === "sample" ? "Sample stream" : `Server: ${name}`),
};

export const buttons = {
  start: "Start",
  stop: "Stop",
  calibrate: "Calibrate",
  record: "Record",
  finish: "Stop recording",
};

export const countdown = (seconds) => `Keep a neutral face: ${seconds}`;

export const calibrated = "Done. Events are told again.";
export const notCalibrated = "Not done: the face was lost. Look into the camera and calibrate again.";

export const saved = (messages) => `Download the session (${messages.toLocaleString("en")} messages)`;
export const unsaved = "The last recording ended when the connection was lost.";

const soon = (seconds) => (seconds < 1 ? "now" : `in ${Math.round(seconds)} s`);

// Messages that cover the picture: what was found, and what to do.
export const messages = {
  connecting: ["Connecting", "Waiting for the server."],
  idle: ["Ready", "Press Start, and allow the camera when the browser asks."],
  stopped: ["Stopped", "Press Start to go on."],
  asking: ["May the page see your camera?", "Answer the browser's question, which is near the address bar."],
  waiting: (ahead, why) => [
    "All places are taken",
    `${why} ${ahead ? `${ahead} ${ahead === 1 ? "person is" : "people are"} before you.` : "You are next."} Stay here: it begins by itself.`,
  ],
  gone: (seconds) => ["The server is gone", `Trying again ${soon(seconds)}. You need not reload the page.`],
  silent: (seconds) => [
    "Nothing is heard from the server",
    `The network is gone, or the server hangs. Trying again ${soon(seconds)}; look at your connection meanwhile.`,
  ],
  turnedAway: (why) => ["The server closed the connection", why],
  NotAllowedError: [
    "The camera was refused",
    "Allow it by the camera sign in the address bar, or in the browser's settings for this page, then press Start. If the whole system forbids it, look in its privacy settings.",
  ],
  NotFoundError: ["No camera was found", "Plug one in and press Start, or choose a camera of the server above."],
  NotReadableError: [
    "The camera is in use",
    "Another program or page holds it, or it failed to start. Close the other one, then press Start.",
  ],
  unplugged: ["The camera has stopped", "It was unplugged, or another program took it. Press Start once it is back."],
  still: {
    muted: ["The camera is muted", "The system or a switch on the camera withholds its picture. It goes on by itself once the picture is back."],
    silent: ["The camera gives no picture", "It goes on by itself once one comes. Otherwise plug it in anew, or press Stop and choose another."],
  },
  insecure: [
    "This address cannot use your camera",
    `Browsers give a camera to https pages and to localhost only. Either open http://localhost:${location.port || 80} on the server itself, or through "ssh -L ${location.port || 80}:localhost:${location.port || 80} ${location.hostname}"; or give Glimpse a certificate: view.certificate and view.private_key in configs/realtime.toml.`,
  ],
  failed: (error) => ["The camera did not start", `${error.name}: ${error.message}. Try another camera, or reload the page.`],
};

export const problems = {
  "recogniser-gone": "The recogniser is gone",
  refused: "That was refused",
  full: "This computer has no time for your camera now",
  "too-fast": "Too many pictures",
  "too-large": "A picture is too large",
  malformed: "The server could not read a message",
};

export const status = {
  rate: "Frames/s",
  latency: "Latency",
  lag: "Overlay lag",
  gaps: "Gaps",
  engine: "Engine",
  alarms: "False alarms",
};

export const alarms = (perMinute, seconds) => `${perMinute.toFixed(1)}/min in ${Math.round(seconds)} s`;
export const notMarked = "tick “I am neutral”";
