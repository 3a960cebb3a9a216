// One tile of the gallery: the painted picture, the verdict in word, sign and colour, the score against the threshold.

import { el, digits } from "./dom.js";
import { blendTable, lastCodeAtOrBelow, paintHeat, Scale } from "./heat.js";
import { contourWidth, paintBox, paintContour, scaledBox } from "./contour.js";
import { decidedPlace } from "./place.js";
import { findRegions } from "./regions.js";
import { errorOf, judge, VERDICTS } from "./verdict.js";

const TAIL = 12; // last characters of a name, which stay in sight: names mostly differ there
const LONG = 24; // characters of a name that hardly fits
const SUFFIX = 5; // such as .jpeg, which says nothing, and stays

export class Tile {
  constructor(id) {
    this.canvas = el("canvas", { width: 8, height: 8, "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.verdict = el("span", { class: "verdict" });
    this.doubt = el("span", { class: "doubt", text: "picture" }); // the check of the whole picture has a reason for doubt
    this.score = el("span", { class: "num score" });
    this.error = el("span", { class: "error" });
    this.head = el("span");
    this.tail = el("span");
    this.name = el("div", { class: "name" }, el("bdi", { dir: "ltr" }, this.head, this.tail));
    this.truth = el("span", { class: "truth" });
    this.fill = el("i");
    this.check = el("span", { class: "check", text: "✓", "aria-hidden": "true" });
    this.element = el("div", { class: "tile", role: "option", id },
      el("div", { class: "frame" }, this.canvas, this.check, this.error),
      el("div", { class: "cap" },
        el("div", { class: "line" }, this.verdict, this.doubt, this.score),
        el("div", { class: "line" }, this.name, this.truth),
        el("div", { class: "meter", "aria-hidden": "true" }, this.fill, el("u"))));
    this.item = null;
    this.picture = null;
    this.shownVerdict = null;
    this.rows = { first: 0, end: 0 }; // painted over at the moment
  }

  // Shows another image; the picture follows by `setPicture` when it is decoded.
  setItem(item, place, count, scoreMax, alike = 0, ending = 0) {
    this.place(place, count);
    if (this.item === item) return;
    this.item = item;
    this.picture = null;
    this.shownVerdict = null;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.element.classList.remove("painted", "failed");
    this.element.dataset.key = item.key;
    this.showName(item.name, alike, ending);
    this.showLabel();
    this.doubt.hidden = !item.doubts?.length;
    this.doubt.title = item.doubts?.join("\n") ?? "";
    this.score.textContent = digits(item.score, scoreMax);
    this.fill.style.width = `${Math.min(100, (100 * Math.max(0, item.score)) / scoreMax)}%`;
  }

  // A name too long for the tile is cut in its middle; the beginning and the end that all names share go first.
  showName(name, alike, ending) {
    const shown = name.length > LONG && ending > SUFFIX ? `${name.slice(0, -ending)}…` : name;
    const head = shown.slice(0, -TAIL);
    this.name.title = name;
    this.head.textContent = alike > TAIL && head.length > alike ? `${name.slice(0, 3)}…${head.slice(alike)}` : head;
    this.tail.textContent = shown.slice(-TAIL);
    this.name.style.setProperty("--tail", this.tail.textContent.length);
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

  // Offers the labels; by keyboard they are G and D (grid.js).
  offerLabels() {
    if (this.labels) return;
    this.labels = ["good", "defect"].map((label) => el("span", { "data-label": label, title: `Label it ${label} (${label[0].toUpperCase()})`,
      text: label === "good" ? "✓ good" : "✕ defect" }));
    this.element.append(el("div", { class: "labels", "aria-hidden": "true" }, ...this.labels));
  }

  showLabel() {
    this.truth.textContent = this.item.truth ?? "";
    if (this.labels) this.labels[0].parentElement.classList.toggle("fixed", Boolean(this.item.fixed));
    for (const label of this.labels ?? []) label.classList.toggle("on", label.dataset.label === this.item.kind);
    this.shownVerdict = null;
  }

  showVerdict(store, scoreMax) {
    const verdict = judge(this.item, store);
    if (verdict === this.shownVerdict) return;
    this.shownVerdict = verdict;
    const { word, sign } = VERDICTS[verdict];
    const error = errorOf(this.item.kind, verdict);
    this.element.dataset.verdict = verdict;
    this.element.classList.toggle("wrong", Boolean(error));
    this.error.textContent = this.error.title = error;
    this.verdict.textContent = `${sign} ${word}`;
    const truth = (this.item.truth ? `, ${this.item.truth}` : "") + (error ? `, ${error}` : "");
    const doubt = this.item.doubts?.length ? `, the whole picture is doubtful: ${this.item.doubts.join(" ")}` : "";
    this.element.setAttribute("aria-label",
      `${this.item.name}: ${word}, score ${digits(this.item.score, scoreMax)}${truth}${doubt}`);
  }

  // Repaints only the rows that hold heat or contour now or held it before.
  paint(painting) {
    if (!this.picture) return;
    const { width, height, original } = this.picture;
    const place = painting.decided(this.item);
    const box = place && scaledBox(place, original, this.picture);
    const now = paintedRows(this.picture, painting, box);
    const first = this.element.classList.contains("painted") ? Math.min(now.first, this.rows.first) : 0;
    const end = this.element.classList.contains("painted") ? Math.max(now.end, this.rows.end) : height;
    this.rows = now;
    if (first >= end) return;
    this.context.putImageData(paintPicture(this.picture, { ...painting, box }, first, end), 0, 0, 0, first, width, end - first);
    this.element.classList.add("painted");
  }
}

// How every tile is painted at the moment, worked out once per frame.
export function paintingOf(store) {
  const threshold = store.pixelThreshold;
  const mode = store.original || threshold === null ? "off" : store.mode;
  const scale = threshold === null ? null : Scale.anchored(threshold);
  const decided = (item) => (mode === "off" ? null : decidedPlace(item, store));
  return { mode, scale, blend: blendTable(store.opacity), opacity: store.opacity, minArea: store.minArea, decided };
}

// The rows of a picture in which heat, contour or box lie.
function paintedRows(picture, painting, box) {
  const { first, end } = heatRows(picture, painting);
  return box ? { first: Math.min(first, Math.max(0, box[1])), end: Math.max(end, Math.min(picture.height, box[3])) } : { first, end };
}

function heatRows({ map, height }, { mode, scale }) {
  if (!map || mode === "off") return { first: height, end: 0 };
  const limit = lastCodeAtOrBelow(map, scale.threshold);
  let first = 0;
  let end = height;
  while (first < end && map.rowMax[first] <= limit) first++;
  while (end > first && map.rowMax[end - 1] <= limit) end--;
  if (first === end) return { first: height, end: 0 };
  const rim = mode === "heat" ? 0 : (contourWidth(map) + 1) >> 1;
  return { first: Math.max(0, first - rim), end: Math.min(height, end + rim) };
}

const scratch = new Map(); // one buffer per size: a painted picture is copied to the canvas at once

// Paints rows first..end; the others of the returned picture are undefined.
export function paintPicture({ base, map, width, height, share }, { mode, scale, blend, minArea, box }, first = 0, end = height) {
  const size = `${width}x${height}`;
  if (!scratch.has(size)) scratch.set(size, new ImageData(width, height));
  const painted = scratch.get(size);
  const row = 4 * width;
  painted.data.set(base.data.subarray(first * row, end * row), first * row);
  if (mode === "off") return painted;
  if (map && mode !== "contour") paintHeat(painted.data, map, scale, blend);
  if (map && mode !== "heat") {
    const smallest = Math.ceil(minArea * share);
    const labels = smallest > 1 ? findRegions(map, scale.threshold, smallest).labels : null;
    paintContour(painted.data, map, scale.threshold, labels);
  }
  if (box) paintBox(painted.data, painted, box);
  return painted;
}
