// The layers over or in place of a detail's picture: heat, whole map, contour, outline of the truth.

import { contourPath } from "./contour.js";
import { heatLayer, mapPicture, Scale } from "./heat.js";
import { findRegions } from "./regions.js";

export class Layers {
  constructor() {
    this.map = null;
    this.truth = null;
  }

  show(map, truth, original) {
    this.map = map;
    this.original = original;
    this.truthPath = truth ? contourPath(truth, 0.5) : null;
    this.truth = truth;
    this.heat = this.whole = null;
    this.regions = [];
    this.state = "";
  }

  // Repaints layers after a change of thresholds, opacity or smallest area.
  refresh(store) {
    const threshold = store.pixelThreshold;
    if (!this.map || threshold === null) return;
    const { top, opacity, minArea, mode } = store;
    const state = JSON.stringify([threshold, top, opacity, minArea, mode]);
    if (state === this.state) return;
    this.state = state;
    const scale = top > threshold ? new Scale(threshold, top) : Scale.anchored(threshold);
    const share = (this.map.width * this.map.height) / (this.original.width * this.original.height);
    const smallest = Math.max(1, Math.ceil(minArea * share));
    const { regions, labels } = findRegions(this.map, threshold, smallest);
    this.regions = regions.map((region) => this.inOriginal(region, share));
    this.heat = this.canvasOf(heatLayer(this.map, scale, opacity));
    this.whole = this.canvasOf(mapPicture(this.map, scale));
    const lined = mode === "contour" || mode === "both";
    this.contour = lined ? contourPath(this.map, threshold, smallest > 1 ? labels : null) : null;
  }

  inOriginal({ area, box, score, label }, share) {
    const wide = this.original.width / this.map.width;
    const high = this.original.height / this.map.height;
    const [x0, y0, x1, y1] = box;
    return { area: Math.round(area / share), score, label,
      box: [Math.floor(x0 * wide), Math.floor(y0 * high), Math.ceil(x1 * wide), Math.ceil(y1 * high)] };
  }

  canvasOf(rgba) {
    const canvas = new OffscreenCanvas(this.map.width, this.map.height);
    canvas.getContext("2d").putImageData(new ImageData(rgba, this.map.width, this.map.height), 0, 0);
    return canvas;
  }

  drawMap(context, view) {
    if (!this.whole) return;
    this.transform(context, view, this.map);
    context.imageSmoothingEnabled = view.scale * (this.original.width / this.map.width) !== 1;
    context.drawImage(this.whole, 0, 0);
  }

  drawOver(context, view, mode) {
    if (!this.heat) return;
    this.transform(context, view, this.map);
    context.imageSmoothingEnabled = view.scale * (this.original.width / this.map.width) !== 1;
    if (mode === "heat" || mode === "both") context.drawImage(this.heat, 0, 0);
    if (this.contour && mode !== "off" && mode !== "heat") {
      this.stroke(context, view, this.map, this.contour, ["rgb(16 20 24)", "rgb(125 240 255)"]);
    }
  }

  drawTruth(context, view) {
    if (!this.truthPath) return;
    this.transform(context, view, this.truth);
    this.stroke(context, view, this.truth, this.truthPath, ["rgb(16 20 24)", "rgb(255 255 255)"]);
  }

  transform(context, view, raster) {
    const [left, top] = view.offset;
    const wide = (view.scale * this.original.width) / raster.width;
    const high = (view.scale * this.original.height) / raster.height;
    context.setTransform(wide, 0, 0, high, left, top);
  }

  stroke(context, view, raster, path, [rim, line]) {
    const pixel = ((window.devicePixelRatio || 1) * raster.width) / (this.original.width * view.scale);
    context.lineCap = "round";
    for (const [colour, width] of [[rim, 4], [line, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * pixel;
      context.stroke(path);
    }
  }
}
