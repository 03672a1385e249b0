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
  sparse: "too few frames of it",
};

const slower = { camera: ": the camera is too slow", computer: ": the computer is too slow" };

export const withdrawnCount = (count, most) => `${count < most ? count : `${most} or more`} withdrawn: movements that were no expression`;

export const kinds = { micro: "Micro-expression", macro: "Macro-expression" };

export const noFace = "no face in the picture";

// What is said on top.

export const noEvent = "No expression yet.";
export const nobody = "Nobody is seen: look into the camera.";
export const lessToDo = "close other programs, or let fewer people watch";

// What would make the picture better, by the reason that it is not.
export const advice = {
  small: "come closer",
  blurred: "hold still",
  dark: "turn on a light in front of you",
  bright: "dim the light",
  turned: "look into the camera",
};

export const conditions = (advised) => (advised.length ? `For better results: ${advised.join("; ")}.` : "Conditions are good.");

export const computerSlow = ({ analysed, camera }) =>
  `close other programs, or let fewer people watch: the computer analyses ${Math.round(analysed)} of ${Math.round(camera)} frames a second`;

export const cameraSlow = (hz) =>
  `turn on a light or take another camera: this one gives ${Math.round(hz)} frames a second, which is too few for brief expressions`;

const named = { negative: "negative expression", positive: "positive expression" };

export function sentence(event) {
  const long = { micro: "brief", macro: "longer" }[event.kind];
  const took = event.offset_s === null ? "under way" : `${(event.offset_s - event.onset_s).toFixed(event.kind === "micro" ? 2 : 1)} s`;
  const whose = event.whose ? `${face(event.face)}: ` : "";
  const text = `${whose}a ${long} ${named[event.label] ?? `expression of ${event.label}`}, ${took}, sure to ${percent(event.confidence)}.`;
  return text[0].toUpperCase() + text.slice(1);
}

export const enlarged = (times) => `movement × ${times}`;
export const picture = (caption) => `The face: ${caption}`;
export const loop = (beside) => (beside ? "Show the face as a loop" : "Show the face's pictures side by side");

export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

// Where there are several, whose it is: the number stands by the face in the picture.
export const face = (id) => `face ${id}`;

export function expressionNow(nearest, several, dark) {
  const whose = nearest && several ? ` of ${face(nearest.id)}` : "";
  return `Expression now${whose}${dark ? ": too dark to tell" : ""}`;
}

// `slow` says who is, as far as it is known.
export function announcement(event, slow) {
  if (event.stage === "withdrawn") return `Withdrawn: ${reason(event, slow)}.`;
  const moved = event.units?.length ? ` ${units(event)}.` : "";
  return `${kinds[event.kind]}: ${event.label}, ${percent(event.confidence)} sure.${moved}`;
}

// What moved, as the event says it itself: the strongest first.
export function units(event) {
  return event.units.map((unit) => unit.words).join("; ");
}

export function reason(event, slow) {
  return (withdrawn[event.reason] ?? event.reason) + (event.reason === "sparse" ? (slower[slow] ?? "") : "");
}

export function overlay(faces) {
  if (!faces.length) return "Camera picture; no face in it";
  return `Camera picture with ${faces.length === 1 ? "one face" : `${faces.length} faces`}`;
}

// The server keeps a recording for so long after its end.
export const KEPT_MS = 600_000;

export function banner({ running, recording, kept, video, camera, shows }) {
  const law = "An event is a candidate with a confidence, not a fact. In the EU the AI Act forbids this at work and in schools.";
  if (shows) return ["A recording is shown.", `Nothing is watched now: its events were told when it was made. ${law}`];
  const inference = running ? "Emotion inference is running." : "Emotion inference is off.";
  const pictures = recording
    ? `A recording is being written to disk, ${video ? "with" : "without"} video.`
    : `Pictures ${camera ? "go to this Glimpse and" : "stay in this Glimpse and go"} nowhere else; ${stored(kept)}.`;
  return [inference, `${pictures} ${law}`];
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
  threshold: "Threshold",
};

export const frames = ({ analysed, camera }) => (analysed < 0.9 * camera ? `${Math.round(analysed)} of ${Math.round(camera)}` : analysed.toFixed(1));

export const alarms = (perMinute, seconds) => `${perMinute.toFixed(1)}/min in ${Math.round(seconds)} s`;
export const notMarked = "tick “I am neutral”";
