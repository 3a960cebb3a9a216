// Drawing one shape at a time, by pointer or by keyboard.

import { meant, rounded } from "./shapes.js";

export class Pen {
  constructor(view, changed, finished) {
    Object.assign(this, { view, changed, finished });
    this.tool = "rectangle";
    this.cut = false;
    this.radius = 20;
    this.shape = null;
    this.cursor = null; // position of the keyboard's pointer, picture pixels
  }

  choose(tool) {
    this.cancel();
    this.tool = tool;
  }

  down(place) {
    if (this.tool === "polygon") return this.corner(place);
    const kind = this.tool === "rectangle" ? "rectangle" : "brush";
    const cut = this.tool === "eraser" || (this.tool === "rectangle" && this.cut);
    const points = kind === "rectangle" ? [place, place] : [place];
    this.shape = { kind, cut, points, ...(kind === "brush" && { radius: this.radius }) };
    this.changed();
    return true;
  }

  move(place) {
    if (!this.shape) return;
    if (this.shape.kind === "rectangle") this.shape.points[1] = place;
    else if (this.shape.kind === "brush") {
      const [x, y] = this.shape.points.at(-1);
      if (Math.hypot(place[0] - x, place[1] - y) < this.radius / 6) return;
      this.shape.points.push(place);
    }
    this.changed();
  }

  up() {
    if (this.shape && this.shape.kind !== "polygon") this.finish();
  }

  // A corner of a polygon; on the first or the last corner it closes.
  corner(place) {
    if (!this.shape) this.shape = { kind: "polygon", cut: this.cut, points: [] };
    const near = ([x, y]) => Math.hypot(place[0] - x, place[1] - y) * this.view.scale < 9 * (window.devicePixelRatio || 1);
    const { points } = this.shape;
    if (points.length && near(points.at(-1))) this.close();
    else if (points.length >= 3 && near(points[0])) this.close();
    else {
      points.push(place);
      this.changed();
    }
    return true;
  }

  close() {
    if (this.shape && meant(this.shape)) this.finish();
  }

  finish() {
    const { shape } = this;
    this.shape = null;
    if (meant(shape)) this.finished({ ...shape, points: shape.points.map(rounded) });
    this.changed();
  }

  cancel() {
    this.shape = null;
    this.changed();
  }

  // Arrow keys point, Enter draws. Gives true when the key was the pen's.
  pressed(event) {
    const step = ((event.shiftKey ? 50 : 8) * (window.devicePixelRatio || 1)) / this.view.scale;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in moves) {
      const [x, y] = this.cursor ?? [this.view.x, this.view.y];
      const { width, height } = this.view.picture;
      this.cursor = [Math.min(width, Math.max(0, x + moves[event.key][0])), Math.min(height, Math.max(0, y + moves[event.key][1]))];
      this.move(this.cursor);
      this.changed();
    } else if (event.key === "Enter") {
      this.cursor ??= [this.view.x, this.view.y];
      if (this.tool !== "polygon" && this.shape) this.up();
      else this.down(this.cursor);
    } else if (event.key === "Escape") this.cancel();
    else if (event.key === "Backspace" && this.shape?.kind === "polygon") {
      this.shape.points.pop();
      this.changed();
    } else return false;
    return true;
  }
}
