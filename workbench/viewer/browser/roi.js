// The editor of the region of interest: draw on one good image, check it on the others.

import { button, el, perFrame, segments, slider, typing } from "./dom.js";
import { Pen } from "./pen.js";
import { decodePicture, fetchBytes } from "./pictures.js";
import { RoiStage } from "./stage.js";
import { MaskCanvas } from "./shapes.js";

const TOOLS = [
  { value: "rectangle", text: "Rectangle", title: "Drag from corner to corner (R)" },
  { value: "polygon", text: "Polygon", title: "Click corner by corner; click the first one again to close (P)" },
  { value: "brush", text: "Brush", title: "Paint the area to inspect (B)" },
  { value: "eraser", text: "Eraser", title: "Erase from the area (E)" },
];
const EFFECTS = [
  { value: "include", text: "Include", title: "The shape is inspected" },
  { value: "exclude", text: "Exclude", title: "The shape is left out" },
];

export class RoiViewer {
  constructor(root, data, send) {
    this.root = root;
    this.send = send;
    this.shapes = [];
    this.undone = [];
    this.at = 0;
    this.revision = null;
    this.stage = new RoiStage();
    this.pen = new Pen(this.stage.view, () => this.redraw(), (shape) => this.add(shape));
    this.stage.attach(this.pen);
    this.redraw = perFrame(() => this.paint());
    this.stage.redraw = this.redraw;
    this.build();
    root.addEventListener("keydown", (event) => this.pressed(event));
  }

  build() {
    this.tools = segments("Tool", TOOLS, "rectangle", (tool) => this.choose(tool));
    this.effects = segments("Effect", EFFECTS, "include", (effect) => (this.pen.cut = effect === "exclude"));
    this.brush = slider("Brush", { min: 2, max: 200, step: 1, value: 20, format: (px) => `${px} px` }, (size) => {
      this.pen.radius = (size / 2) * this.unit;
    });
    this.brush.hidden = true;
    this.undo = button("Undo", () => this.step(this.shapes, this.undone), { title: "Ctrl+Z" });
    this.redo = button("Redo", () => this.step(this.undone, this.shapes), { title: "Ctrl+Shift+Z" });
    this.clear = button("Clear", () => this.change([], []));
    this.covered = el("span", { class: "num mute", role: "status" });
    this.name = el("span", { class: "name num" });
    this.back = button("‹", () => this.flick(-1), { "aria-label": "Previous image", title: "Previous image ([)" });
    this.forth = button("›", () => this.flick(1), { "aria-label": "Next image", title: "Next image (])" });
    this.flicking = el("div", { class: "flick" }, this.back, this.name, this.forth);
    this.root.append(el("section", { class: "panel roi", "aria-label": "Region of interest" },
      el("div", { class: "toolbar" }, this.tools, this.effects, this.brush, this.undo, this.redo, this.clear,
        button("Fit", () => this.stage.view.fit(), { title: "Show all of it (0)" })),
      this.stage.element, el("div", { class: "foot" }, this.covered, this.flicking)));
  }

  async update(data) {
    const first = data.images[0];
    if (!this.data || first.url !== this.data.images[0].url || data.images.length !== this.data.images.length) this.at = 0;
    this.data = data;
    this.stage.element.style.setProperty("--height", `${data.height}px`);
    if (data.revision !== this.revision) await this.adopt(data);
    await this.show();
  }

  async adopt(data) {
    this.revision = data.revision;
    const base = data.baseUrl ? await maskImage(data.baseUrl) : null;
    const { width, height } = data.images[0];
    this.mask = new MaskCanvas(width, height, base);
    this.unit = Math.max(1, Math.max(width, height) / 600);
    this.pen.radius = Number(this.brush.querySelector("input").value) / 2 * this.unit;
    this.shapes = data.shapes;
    this.undone = [];
    this.measure();
  }

  async show() {
    const image = this.data.images[this.at];
    this.flicking.hidden = this.data.images.length < 2;
    this.name.textContent = `${image.name} (${this.at + 1} of ${this.data.images.length})`;
    if (image.url === this.shown) return;
    this.shown = image.url;
    const picture = await fetchBytes(image.url).then(decodePicture);
    if (image.url !== this.shown) return picture.image.close();
    const { width, height } = this.data.images[0];
    this.stage.show(picture.image, width, height);
    this.root.dataset.ready = image.url;
  }

  flick(step) {
    const count = this.data.images.length;
    this.at = (this.at + step + count) % count;
    this.show();
  }

  choose(tool) {
    this.pen.choose(tool);
    this.tools.show(tool);
    this.brush.hidden = tool !== "brush" && tool !== "eraser";
    this.effects.hidden = !this.brush.hidden;
  }

  add(shape) {
    this.change([...this.shapes, shape], []);
  }

  step(from, to) {
    if (!from.length) return;
    const moved = from.at(-1);
    if (from === this.shapes) this.change(from.slice(0, -1), [...to, moved]);
    else this.change([...to, moved], from.slice(0, -1));
  }

  change(shapes, undone) {
    this.shapes = shapes;
    this.undone = undone;
    this.pen.cancel();
    this.measure();
    this.send.state("drawing", { serial: Date.now(), shapes });
  }

  measure() {
    this.mask.draw(this.shapes);
    this.measured = this.mask.measure();
    this.undo.disabled = this.clear.disabled = !this.shapes.length;
    this.redo.disabled = !this.undone.length;
    this.covered.textContent = this.shapes.length ? `${(100 * this.measured.share).toFixed(1)} % of the image is inspected`
      : "The whole image is inspected. Draw to limit it.";
    this.redraw();
  }

  paint() {
    if (!this.mask) return;
    const drawing = this.pen.shape;
    this.mask.draw(drawing ? [...this.shapes, drawing] : this.shapes);
    this.stage.paint(this.mask.canvas, drawing || !this.shapes.length ? null : this.measured.path);
  }

  pressed(event) {
    if (typing(event) || event.altKey) return;
    const key = event.key.toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    const tool = { r: "rectangle", p: "polygon", b: "brush", e: "eraser" }[key];
    if (command && key === "z") this.step(...(event.shiftKey ? [this.undone, this.shapes] : [this.shapes, this.undone]));
    else if (command) return;
    else if (tool) this.choose(tool);
    else if (key === "[" || key === "]") this.flick(key === "[" ? -1 : 1);
    else return;
    event.preventDefault();
  }

  destroy() {
    this.redraw.cancel();
    this.stage.destroy();
  }
}

async function maskImage(url) {
  const { map } = await decodePicture(await fetchBytes(url));
  const canvas = new OffscreenCanvas(map.width, map.height);
  const picture = new ImageData(map.width, map.height);
  for (let at = 0; at < map.codes.length; at++) picture.data[4 * at + 3] = map.codes[at] ? 255 : 0;
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}
