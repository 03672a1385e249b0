// Gradio's controls as they should be now.

import * as words from "../words.js";

export const BROWSER = "browser";

// New settings for: start, calibrate, record, neutral, camera, head.
export function settings({ running, recording, neutral, choices, welcome, devices }) {
  const { start, stop, calibrate, record, finish } = words.buttons;
  const live = { interactive: running && welcome !== null };
  const heads = (welcome?.heads ?? []).map((name) => [name, name]);
  return [
    set({ value: running ? stop : start, variant: running ? "secondary" : "primary" }),
    set({ value: calibrate, ...live }),
    set({ value: recording ? finish : record, ...live }),
    set({ value: neutral, ...live }),
    set({ choices: cameras(welcome?.cameras ?? [], devices, choices.camera), value: choices.camera }),
    set({ choices: heads, value: choices.head || heads[0]?.[0] || null }),
  ];
}

// Cameras of the browser as choices; they have names once the person allowed one of them.
export function ownCameras(devices) {
  return devices.map(({ deviceId, label }, at) => [label || words.cameras.numbered(at + 1), `${BROWSER}:${deviceId}`]);
}

// The server's first; the one that is chosen stays among them, even while the server is away.
function cameras(names, devices, chosen) {
  const all = chosen.startsWith(BROWSER) ? names : [...names, chosen];
  const server = [...new Set(all)].map((name) => [words.cameras.server(name), name]);
  const own = ownCameras(devices);
  return [...server, ...(own.length ? own : [[words.cameras.browser, BROWSER]])];
}

function set(values) {
  return { __type__: "update", ...values };
}
