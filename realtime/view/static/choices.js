// What the person chose, and what there is to choose from.

import { BROWSER, ownCameras } from "./camera/controls.js";

export class Choices {
  camera = BROWSER;
  head = "";
  landmarks = false;
  pictures = false;
  video = false;
  picked = false; // the person chose a camera
  devices = []; // the browser's

  get own() {
    return this.camera.startsWith(BROWSER);
  }

  // As getUserMedia wants it; "" leaves the choice to the browser.
  get device() {
    return this.camera.slice(BROWSER.length + 1);
  }

  get hello() {
    const { own, camera, head, landmarks, pictures } = this;
    return { do: "hello", camera: own ? BROWSER : camera, landmarks, pictures, head };
  }

  async list(camera) {
    this.devices = await camera.devices();
    if (this.devices.length && this.camera === BROWSER) this.camera = ownCameras(this.devices)[0][1];
  }
}
