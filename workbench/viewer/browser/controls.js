// The controls that gallery and detail share: how the map is painted, how opaque, and the bare picture at a held key.

import { digits, el, segments, slider, typing } from "./dom.js";
import { Legend } from "./legend.js";

const MODES = [
  { value: "heat", text: "Heat", title: "Colours above the pixel threshold" },
  { value: "contour", text: "Contour", title: "A line around pixels above the pixel threshold" },
  { value: "both", text: "Both", title: "Colours and line" },
  { value: "off", text: "Off", title: "The picture alone. Hold O to see it for a moment" },
];

export class PaintControls {
  constructor(store) {
    this.store = store;
    this.modes = segments("Show the anomaly map as", MODES, store.mode, (mode) => store.set({ mode }));
    this.opacity = slider("Opacity", { min: 0, max: 1, step: 0.05, value: store.opacity,
      format: (value) => `${Math.round(value * 100)} %` }, (opacity) => store.set({ opacity }));
    this.legend = new Legend();
    this.key = el("span", { class: "key mute", title: "The patch that gave the score, in images that are flagged for their score" },
      el("i", { class: "dashes" }), "place that decided");
    this.element = el("div", { class: "paint-controls" }, this.modes, this.opacity, this.legend.element, this.key);
  }

  show() {
    this.modes.show(this.store.mode);
    this.opacity.show(this.store.opacity);
    this.legend.show(this.store);
    this.key.hidden = this.store.thresholds.reject === null || this.store.judgeBy === "area";
  }
}

const LARGEST_SHARE = 0.1; // of the image: the end of the slider of the smallest region

// The rule of a region: the score that a pixel must exceed, and the pixels that a region must have. Only released
// values reach the page.
export class RegionControls {
  constructor(store, released) {
    this.store = store;
    this.pixels = 1;
    const tell = () => released({ threshold: store.pixelThreshold, minArea: store.minArea });
    this.threshold = slider("Pixel threshold", { min: 0, max: 1, step: 0.01, value: 0, format: (score) => digits(score, this.top ?? 1) },
      (pixel) => store.set({ pixel }), tell);
    this.area = slider("Smallest region", { min: 0, max: 100, step: 1, value: 0, format: (place) => `${this.areaAt(place)} px` },
      (place) => store.set({ minArea: this.areaAt(place) }), tell);
    this.element = el("div", { class: "paint-controls" }, this.threshold, this.area);
  }

  // Cubic, so that small areas can be told apart.
  areaAt(place) {
    return Math.max(1, Math.round((place / 100) ** 3 * LARGEST_SHARE * this.pixels));
  }

  show(pixels, top) {
    Object.assign(this, { pixels, top });
    this.threshold.span(0, top);
    this.threshold.show(this.store.pixelThreshold ?? 0);
    const place = 100 * Math.cbrt(this.store.minArea / (LARGEST_SHARE * pixels));
    if (this.areaAt(Number(this.area.querySelector("input").value)) !== this.store.minArea) this.area.show(Math.round(place));
  }
}

// While O is held and the viewer has the focus or the pointer, the picture is shown without anything over it.
export function holdForOriginal(root, store) {
  const ours = () => root.matches(":hover") || root.matches(":focus-within");
  const press = (event) => {
    if (event.key.toLowerCase() !== "o" || event.ctrlKey || event.metaKey || typing(event)) return;
    if (!event.repeat && ours() && !store.original) store.set({ original: true });
  };
  const release = () => store.original && store.set({ original: false });
  const lifted = (event) => event.key.toLowerCase() === "o" && release();
  document.addEventListener("keydown", press);
  document.addEventListener("keyup", lifted);
  window.addEventListener("blur", release);
  return () => {
    document.removeEventListener("keydown", press);
    document.removeEventListener("keyup", lifted);
    window.removeEventListener("blur", release);
    release();
  };
}
