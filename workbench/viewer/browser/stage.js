// The picture under the region of interest: excluded pixels are darkened, the outline is drawn over it.

import { el } from "./dom.js";
import { steer, View, zoomKey } from "./zoom.js";

export class RoiStage {
  constructor() {
    this.canvas = el("canvas", { tabindex: 0, role: "application",
      "aria-label": "Drawing of the region of interest. Arrows point, Enter draws, Escape gives up, plus and minus zoom" });
    this.context = this.canvas.getContext("2d");
    this.element = el("div", { class: "stage-roi" }, this.canvas);
    this.view = new View(() => this.redraw?.());
    this.veil = new OffscreenCanvas(1, 1);
    this.sizes = new ResizeObserver(() => this.redraw?.());
    this.sizes.observe(this.element);
  }

  attach(pen) {
    this.pen = pen;
    let space = false;
    steer(this.canvas, this.view, {
      down: (place) => !space && pen.down(this.view.toPicture(...place)),
      move: (place) => pen.move(this.view.toPicture(...place)),
      up: () => pen.up(),
    });
    this.canvas.addEventListener("pointerdown", () => (pen.cursor = null));
    this.canvas.addEventListener("pointermove", (event) => {
      const sharp = window.devicePixelRatio || 1;
      this.pointer = this.view.toPicture(event.offsetX * sharp, event.offsetY * sharp);
      this.redraw();
    });
    this.canvas.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.redraw();
    });
    this.canvas.addEventListener("dblclick", () => pen.close());
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key === " ") space = true;
      else if (event.ctrlKey || event.metaKey || !(pen.pressed(event) || zoomKey(this.view, event))) return;
      event.preventDefault();
    });
    this.canvas.addEventListener("keyup", (event) => event.key === " " && (space = false));
  }

  show(image, width, height) {
    this.image?.close();
    this.image = image;
    const same = this.view.picture.width === width && this.view.picture.height === height;
    if (!same) this.view.show(width, height);
    this.redraw();
  }

  paint(mask, outline) {
    const { canvas, context, view } = this;
    const sharp = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * sharp), Math.round(canvas.clientHeight * sharp)];
    if (!width || !this.image) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const redraw = this.redraw;
    view.resize(width, height);
    redraw.cancel();
    const [left, top] = view.offset;
    const { width: wide, height: high } = view.picture;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(view.scale, 0, 0, view.scale, left, top);
    context.drawImage(this.image, 0, 0, wide, high);
    context.drawImage(this.darkened(mask), 0, 0, wide, high);
    if (outline) this.trace(outline, wide / mask.width, high / mask.height, sharp);
    this.drawPen(sharp);
  }

  darkened(mask) {
    if (this.veil.width !== mask.width || this.veil.height !== mask.height) {
      [this.veil.width, this.veil.height] = [mask.width, mask.height];
    }
    const context = this.veil.getContext("2d");
    context.globalCompositeOperation = "copy";
    context.fillStyle = "rgb(8 12 16 / .68)";
    context.fillRect(0, 0, mask.width, mask.height);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(mask, 0, 0);
    return this.veil;
  }

  trace(path, wide, high, sharp) {
    const { context, view } = this;
    context.save();
    context.scale(wide, high);
    for (const [colour, width] of [["rgb(16 20 24)", 4], ["rgb(125 240 255)", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = (width * sharp) / (view.scale * wide);
      context.stroke(path);
    }
    context.restore();
  }

  // The shape in hand, and where the brush or the keyboard points.
  drawPen(sharp) {
    const { context, view, pen } = this;
    const twice = (draw) => {
      for (const [colour, width] of [["rgb(16 20 24)", 4], ["#fff", 1.6]]) {
        context.strokeStyle = colour;
        context.lineWidth = (width * sharp) / view.scale;
        draw();
      }
    };
    const corners = pen.shape?.kind === "polygon" ? pen.shape.points : [];
    if (corners.length) {
      const next = pen.cursor ?? this.pointer;
      twice(() => {
        context.beginPath();
        for (const [x, y] of [...corners, ...(next ? [next] : [])]) context.lineTo(x, y);
        const knob = (3 * sharp) / view.scale;
        for (const [x, y] of corners) context.rect(x - knob, y - knob, 2 * knob, 2 * knob);
        context.stroke();
      });
    }
    const place = pen.cursor ?? this.pointer;
    if (place && (pen.tool === "brush" || pen.tool === "eraser")) {
      twice(() => {
        context.beginPath();
        context.arc(...place, pen.radius, 0, 7);
        context.stroke();
      });
    }
    if (pen.cursor) this.cross(twice, pen.cursor, (9 * sharp) / view.scale);
  }

  cross(twice, [x, y], arm) {
    twice(() => {
      this.context.beginPath();
      this.context.moveTo(x - arm, y);
      this.context.lineTo(x + arm, y);
      this.context.moveTo(x, y - arm);
      this.context.lineTo(x, y + arm);
      this.context.stroke();
    });
  }

  destroy() {
    this.sizes.disconnect();
    this.image?.close();
  }
}
