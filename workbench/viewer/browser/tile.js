// One tile of the gallery: the painted picture, the verdict in word, sign and colour, the score against the threshold.

import { el, digits } from "./dom.js";
import { blendTable, paintHeat, Scale } from "./heat.js";
import { paintContour } from "./contour.js";
import { findRegions } from "./regions.js";
import { VERDICTS, verdictOf } from "./verdict.js";

export class Tile {
  constructor(id) {
    this.canvas = el("canvas", { width: 8, height: 8, "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.verdict = el("span", { class: "verdict" });
    this.score = el("span", { class: "num score" });
    this.name = el("div", { class: "name" });
    this.truth = el("span", { class: "truth" });
    this.fill = el("i");
    this.check = el("span", { class: "check", text: "✓", "aria-hidden": "true" });
    this.element = el("div", { class: "tile", role: "option", id },
      el("div", { class: "frame" }, this.canvas, this.check),
      el("div", { class: "cap" },
        el("div", { class: "line" }, this.verdict, this.score),
        el("div", { class: "line" }, this.name, this.truth),
        el("div", { class: "meter", "aria-hidden": "true" }, this.fill, el("u"))));
    this.item = null;
    this.picture = null;
    this.shownVerdict = null;
  }

  // Shows another image; the picture follows by `setPicture` when it is decoded.
  setItem(item, place, count, scoreMax) {
    this.place(place, count);
    if (this.item === item) return;
    this.item = item;
    this.picture = null;
    this.shownVerdict = null;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.element.classList.remove("painted", "failed");
    this.element.dataset.key = item.key;
    this.name.textContent = this.name.title = item.name;
    this.truth.textContent = item.truth ?? "";
    this.score.textContent = digits(item.score, scoreMax);
    this.fill.style.width = `${Math.min(100, (100 * Math.max(0, item.score)) / scoreMax)}%`;
  }

  place(place, count) {
    this.element.setAttribute("aria-posinset", place + 1);
    this.element.setAttribute("aria-setsize", count);
  }

  setPicture(picture) {
    this.picture = picture;
    this.element.classList.toggle("failed", !picture);
    if (!picture) return;
    if (this.canvas.width !== picture.width) this.canvas.width = picture.width;
    if (this.canvas.height !== picture.height) this.canvas.height = picture.height;
  }

  showVerdict(thresholds, scoreMax) {
    const verdict = verdictOf(this.item.score, thresholds);
    if (verdict === this.shownVerdict) return;
    this.shownVerdict = verdict;
    const { word, sign } = VERDICTS[verdict];
    this.element.dataset.verdict = verdict;
    this.verdict.textContent = `${sign} ${word}`;
    const truth = this.item.truth ? `, ${this.item.truth}` : "";
    this.element.setAttribute("aria-label",
      `${this.item.name}: ${word}, score ${digits(this.item.score, scoreMax)}${truth}`);
  }

  paint(painting) {
    if (!this.picture) return;
    this.context.putImageData(paintPicture(this.picture, painting), 0, 0);
    this.element.classList.add("painted");
  }
}

// How every tile is painted at the moment, worked out once per frame.
export function paintingOf(store) {
  const threshold = store.pixelThreshold;
  const mode = store.original || threshold === null ? "off" : store.mode;
  const anchored = threshold === null ? null : Scale.anchored(threshold);
  const scale = anchored && store.top > threshold ? new Scale(threshold, store.top) : anchored;
  return { mode, scale, blend: blendTable(store.opacity), opacity: store.opacity, minArea: store.minArea };
}

export function paintPicture({ base, map }, { mode, scale, blend, minArea }) {
  if (!map || mode === "off") return base;
  const painted = new ImageData(new Uint8ClampedArray(base.data), base.width, base.height);
  if (mode !== "contour") paintHeat(painted.data, map, scale, blend);
  if (mode !== "heat") {
    const labels = minArea > 1 ? findRegions(map, scale.threshold, minArea).labels : null;
    paintContour(painted.data, map, scale.threshold, labels);
  }
  return painted;
}
