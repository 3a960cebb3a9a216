// The panes of a detail: original, map and overlay, looking at the same place; reading and measuring on them.

import { el, perFrame } from "./dom.js";
import { CONTOUR_LINE, CONTOUR_RIM } from "./palette.js";
import { steer, View, zoomKey } from "./zoom.js";

export const TURNS = { ArrowLeft: -1, ArrowRight: 1 };
const KINDS = { original: "Original", map: "Anomaly map", overlay: "Overlay" };

export class Panes {
  constructor(sharp, layers, store, read) {
    Object.assign(this, { sharp, layers, store, read });
    this.view = new View(() => this.repaint());
    this.measuring = false;
    this.line = null; // measured line, picture pixels
    this.marks = []; // boxes pointed out
    this.doubted = []; // boxes that the check of the whole picture names
    this.decided = null; // box of the place that decided
    this.showTruth = true;
    this.panes = Object.entries(KINDS).map(([kind, title]) => this.born(kind, title));
    this.element = el("div", { class: "panes" }, ...this.panes.map((pane) => pane.element));
    this.repaint = perFrame(() => this.paint());
    this.sizes = new ResizeObserver(this.repaint);
    this.sizes.observe(this.element);
  }

  destroy() {
    this.sizes.disconnect();
    this.repaint.cancel();
  }

  born(kind, title) {
    const canvas = el("canvas", { tabindex: 0, role: "application",
      "aria-label": `${title}. Plus and minus zoom, 0 fits, 1 shows every pixel, arrows move, M measures` });
    steer(canvas, this.view, {
      down: (place) => this.measuring && this.startLine(this.view.toPicture(...place)),
      move: (place) => this.endLine(this.view.toPicture(...place)),
    });
    canvas.addEventListener("pointermove", (event) => {
      const sharp = window.devicePixelRatio || 1;
      this.read(this.view.toPicture(event.offsetX * sharp, event.offsetY * sharp));
    });
    canvas.addEventListener("pointerleave", () => this.read(null));
    canvas.addEventListener("dblclick", () => (this.view.fitted ? this.view.zoomTo(1) : this.view.fit()));
    canvas.addEventListener("keydown", (event) => this.pressed(event));
    return { kind, canvas, context: canvas.getContext("2d"),
      element: el("figure", { class: `pane ${kind}` }, el("figcaption", { text: title }), canvas) };
  }

  // Whether the arrow keys leave the picture: all of it is in sight.
  get turning() {
    return this.view.fitted && !this.measuring;
  }

  pressed(event) {
    if (event.key === "Enter" && this.measuring) {
      if (this.line && this.following) this.following = false;
      else this.following = this.startLine([this.view.x, this.view.y]);
    } else if ((this.turning && event.key in TURNS) || !zoomKey(this.view, event)) return;
    event.preventDefault();
    event.stopPropagation(); // a key that moves the picture turns no page
    if (this.following) this.endLine([this.view.x, this.view.y]);
    this.keyboard = true;
    this.read([this.view.x, this.view.y]);
    this.repaint();
  }

  startLine(place) {
    this.line = [place, place];
    this.repaint();
    return true;
  }

  endLine(place) {
    if (!this.line) return;
    this.line[1] = place;
    this.repaint();
  }

  measure(on) {
    this.measuring = on;
    this.following = false;
    this.line = null;
    this.element.classList.toggle("measuring", on);
    this.repaint();
  }

  fitShape(width, height) {
    this.element.style.setProperty("--shape", `${width} / ${height}`);
    this.view.show(width, height);
  }

  paint() {
    const sharp = window.devicePixelRatio || 1;
    const shown = this.panes.filter(({ canvas }) => canvas.clientWidth);
    for (const { canvas } of shown) {
      const [width, height] = [Math.round(canvas.clientWidth * sharp), Math.round(canvas.clientHeight * sharp)];
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
    if (!shown.length) return;
    this.view.resize(shown[0].canvas.width, shown[0].canvas.height);
    this.repaint.cancel();
    const { store } = this;
    for (const { kind, context, canvas } of shown) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      if (kind === "map") this.layers.drawMap(context, this.view);
      else this.sharp.draw(context, this.view);
      if (kind === "overlay" && !store.original) this.layers.drawOver(context, this.view, store.mode);
      if (this.showTruth && !store.original) this.layers.drawTruth(context, this.view);
      this.drawMarks(context);
      if (kind !== "original" && store.mode !== "off" && !store.original && this.decided) this.drawDecided(context);
    }
    this.sharp.lookedAt(this.view);
    this.painted?.();
  }

  inPane([x0, y0, x1, y1]) {
    const [left, top] = this.view.toPane(x0, y0);
    const [right, bottom] = this.view.toPane(x1, y1);
    return [left, top, right - left, bottom - top];
  }

  // Bright dashes on a dark line, in the colours of a contour; the boxes of doubts have white ones.
  drawDecided(context) {
    const sharp = window.devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (const [colour, dash] of [[CONTOUR_RIM, []], [CONTOUR_LINE, [6 * sharp, 6 * sharp]]]) {
      context.strokeStyle = `rgb(${colour.slice(0, 3).join(" ")})`;
      context.lineWidth = 2.5 * sharp;
      context.setLineDash(dash);
      context.strokeRect(...this.inPane(this.decided));
    }
    context.setLineDash([]);
  }

  drawMarks(context) {
    const sharp = window.devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    const twice = (draw) => {
      for (const [colour, width] of [["rgb(16 20 24 / .85)", 4], ["#fff", 1.6]]) {
        context.strokeStyle = colour;
        context.lineWidth = width * sharp;
        draw();
      }
    };
    const outline = (box) => twice(() => context.strokeRect(...this.inPane(box)));
    this.marks.forEach(outline);
    if (!this.store.original) {
      context.setLineDash([7 * sharp, 5 * sharp]);
      this.doubted.forEach(outline);
      context.setLineDash([]);
    }
    if (this.line) {
      const [from, to] = this.line.map((place) => this.view.toPane(...place));
      twice(() => {
        context.beginPath();
        context.moveTo(...from);
        context.lineTo(...to);
        for (const [x, y] of [from, to]) context.rect(x - 3 * sharp, y - 3 * sharp, 6 * sharp, 6 * sharp);
        context.stroke();
      });
    }
  }
}
