// Gradio's controls as they should be now.

import * as words from "../words.js";

export const BROWSER = "browser";

// New settings for: start, calibrate, record, neutral, camera, head, video.
export function settings({ running, recording, neutral, choices, welcome }) {
  const { start, stop, calibrate, record, finish } = words.buttons;
  const recorded = welcome?.recorded ?? false; // of what was seen then nothing can be changed, or recorded again
  const live = { interactive: running && welcome !== null, visible: !recorded };
  const heads = (welcome?.heads ?? []).map((name) => [name, name]);
  const own = recorded ? null : choices.devices;
  return [
    set({ value: running ? stop : start, variant: running ? "secondary" : "primary", interactive: !(recorded && choices.own) }),
    set({ value: calibrate, ...live }),
    set({ value: recording ? finish : record, ...live }),
    set({ value: neutral, ...live }),
    set({ choices: cameras(welcome?.cameras ?? [], own, choices.camera), value: recorded && choices.own ? null : choices.camera }),
    set({ choices: heads, value: choices.head || heads[0]?.[0] || null, interactive: !recorded }),
    set({ visible: !recorded }),
  ];
}

// Cameras of the browser as choices; they have names once the person allowed one of them.
export function ownCameras(devices) {
  return devices.map(({ deviceId, label }, at) => [label || words.cameras.numbered(at + 1), `${BROWSER}:${deviceId}`]);
}

// The server's first; the one that is chosen stays among them, even while the server is away. Without `devices` no own.
function cameras(names, devices, chosen) {
  const all = chosen.startsWith(BROWSER) ? names : [...names, chosen];
  const server = [...new Set(all)].map((name) => [words.cameras.server(name), name]);
  if (devices === null) return server;
  const own = ownCameras(devices);
  return [...server, ...(own.length ? own : [[words.cameras.browser, BROWSER]])];
}

function set(values) {
  return { __type__: "update", ...values };
}
