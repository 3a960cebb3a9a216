// The shapes of a region of interest, and the mask that they make in their order (workbench/storage/shapes.py
// makes the binding one, in the original's pixels). A first shape that takes away takes from the whole image.

import { contourPath } from "./contour.js";

const MASK_SIDE = 1024;

export class MaskCanvas {
  constructor(width, height, base = null) {
    this.scale = Math.min(1, MASK_SIDE / Math.max(width, height));
    this.size = { width, height };
    this.base = base; // the mask a shape of kind "mask" stands for, an OffscreenCanvas
    this.canvas = new OffscreenCanvas(Math.max(1, Math.round(width * this.scale)), Math.max(1, Math.round(height * this.scale)));
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  draw(shapes) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = context.strokeStyle = "#fff";
    if (!shapes.length || shapes[0].cut) context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(canvas.width / this.size.width, 0, 0, canvas.height / this.size.height, 0, 0);
    for (const shape of shapes) this.add(shape);
    context.globalCompositeOperation = "source-over";
  }

  add({ kind, cut, points, radius }) {
    const { context } = this;
    context.globalCompositeOperation = cut ? "destination-out" : "source-over";
    if (kind === "mask") {
      if (this.base) context.drawImage(this.base, 0, 0, this.size.width, this.size.height);
    } else if (kind === "rectangle") {
      const [[x0, y0], [x1, y1]] = points;
      context.fillRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
    } else {
      context.beginPath();
      points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
      if (kind === "polygon") context.fill();
      else {
        if (points.length === 1) context.lineTo(...points[0]);
        context.lineCap = context.lineJoin = "round";
        context.lineWidth = 2 * radius;
        context.stroke();
      }
    }
  }

  // The mask's outline in the image's pixels, and the share of the image inside.
  measure() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    const codes = new Uint16Array(width * height);
    const rowMax = new Uint32Array(height).fill(1);
    let inside = 0;
    for (let at = 0; at < codes.length; at++) inside += codes[at] = data[4 * at + 3] > 127 ? 1 : 0;
    return { path: contourPath({ codes, width, height, rowMax, step: 1, highest: 65535 }, 0.5), share: inside / codes.length };
  }
}

// Removes empty drawings: no shape, or one too small to be meant.
export function meant(shape) {
  if (shape.kind === "rectangle") {
    const [[x0, y0], [x1, y1]] = shape.points;
    return Math.abs(x1 - x0) >= 1 && Math.abs(y1 - y0) >= 1;
  }
  return shape.kind === "polygon" ? shape.points.length >= 3 : shape.points.length >= 1;
}

export function rounded([x, y]) {
  return [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
}
