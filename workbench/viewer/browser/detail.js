// One image closely: original, map and overlay with linked zoom, values, distances, regions and the reason.

import { holdForOriginal, PaintControls, RegionControls } from "./controls.js";
import { button, digits, el, perFrame, segments, typing } from "./dom.js";
import { Layers } from "./layers.js";
import { Panes, TURNS } from "./panes.js";
import { decodePicture, fetchBytes } from "./pictures.js";
import { SharpPicture } from "./sharp.js";
import { Side } from "./side.js";
import { storeFor, UNPAINTED } from "./store.js";

const ARRANGEMENTS = [
  { value: "three", text: "Side by side", title: "Original, map and overlay" },
  { value: "one", text: "Overlay only", title: "One large picture" },
];

export class DetailViewer {
  constructor(root, data, send) {
    this.root = root;
    this.send = send;
    this.store = storeFor(data.link);
    this.store.details += 1;
    this.layers = new Layers();
    this.sharp = new SharpPicture((places) => send.event("crops", { item: this.data.item, places }), () => this.panes.repaint());
    this.panes = new Panes(this.sharp, this.layers, this.store, (place) => this.read(place));
    this.panes.painted = () => this.showZoom();
    this.side = new Side(this.panes);
    this.build();
    this.refresh = perFrame(() => this.repaint());
    this.stopHolding = holdForOriginal(root, this.store);
    this.unsubscribe = this.store.subscribe((changes) => {
      if ("position" in changes) this.showPosition();
      if (Object.keys(changes).some((name) => !UNPAINTED.has(name))) this.refresh();
    });
    root.addEventListener("keydown", (event) => this.pressed(event));
  }

  build() {
    const { view } = this.panes;
    this.paint = new PaintControls(this.store);
    for (const element of [this.paint.legend.element, this.paint.key]) element.remove(); // they stand at the side, larger
    this.rule = new RegionControls(this.store, (rule) => this.send.event("rule", rule));
    this.zoom = el("span", { class: "num zoom" });
    this.measure = button("Measure", () => this.toggleMeasuring(), { "aria-pressed": "false", title: "Drag a line to measure it (M)" });
    this.truth = button("Truth", () => this.toggleTruth(), { "aria-pressed": "true", title: "The outline drawn by people (T)" });
    this.reading = el("div", { class: "reading num mute", role: "status" });
    this.title = el("h2", { class: "title" });
    this.place = el("span", { class: "num mute" });
    this.turns = Object.fromEntries([["Previous", -1], ["Next", 1]].map(([name, by]) =>
      [name, button(name, () => this.turn(by), { title: `${name} image (${by < 0 ? "←" : "→"})` })]));
    this.shut = button("Close", () => this.store.position?.gallery.close(), { title: "Close (Esc)" });
    this.turning = el("div", { class: "turning", hidden: true }, this.place, ...Object.values(this.turns), this.shut);
    const arrangement = segments("Arrangement", ARRANGEMENTS, "three", (value) => {
      this.panes.element.classList.toggle("single", value === "one");
      this.panes.repaint();
    });
    const bar = el("div", { class: "toolbar" }, this.paint.element, arrangement,
      el("div", { class: "zooms" }, button("Fit", () => view.fit(), { title: "Show all of it (0)" }),
        button("1:1", () => view.zoomTo(1), { title: "One pixel of the image on one of the screen (1)" }),
        button("−", () => view.zoomTo(view.scale / 1.5), { "aria-label": "Zoom out", title: "Zoom out (−)" }),
        button("+", () => view.zoomTo(view.scale * 1.5), { "aria-label": "Zoom in", title: "Zoom in (+)" }), this.zoom),
      this.measure, this.truth, this.rule.element);
    this.root.append(el("section", { class: "panel detail", "aria-label": "Detail" },
      el("div", { class: "head" }, this.title, this.reading, this.turning), bar,
      el("div", { class: "body" }, this.panes.element, this.side.element)));
  }

  async update(data) {
    this.data = data;
    this.store.adopt(data.given);
    this.title.textContent = data.name;
    this.paint.show();
    this.side.show(data);
    this.truth.hidden = !data.truthUrl;
    this.rule.element.hidden = !data.adjustable;
    const isNews = data.item !== this.shownItem || this.store.wanted?.key === data.item;
    const reveals = isNews && this.store.arrive(data.item) && data.reveal;
    this.shownItem = data.item;
    this.showPosition();
    if (data.url !== this.url) {
      this.url = data.url;
      const [picture, truth] = await Promise.all([fetchBytes(data.url).then(decodePicture),
        data.truthUrl ? fetchBytes(data.truthUrl).then(decodePicture) : null]);
      if (data.url !== this.url) return picture.image.close(); // overtaken by a later run
      this.original = picture.header.original;
      this.map = picture.map;
      this.highest = undefined;
      this.layers.show(picture.map, truth?.map ?? null, this.original);
      this.sharp.show(picture.image, this.original, this.data.crops);
      this.panes.line = null;
      this.panes.fitShape(this.original.width, this.original.height);
    } else if (this.sharp.image) this.sharp.show(this.sharp.image, this.original, data.crops);
    if (reveals && data.url === this.url) this.reveal();
    this.refresh();
  }

  // Brings the opened image into view.
  reveal() {
    requestAnimationFrame(() => {
      const isTall = this.root.offsetHeight > 0.8 * window.innerHeight; // then its head matters, not its foot
      this.root.scrollIntoView({ block: isTall ? "start" : "nearest" });
    });
  }

  showPosition() {
    const { position, current } = this.store;
    this.turning.hidden = !position || current === null;
    if (this.turning.hidden) return;
    this.place.textContent = `${position.at + 1} of ${position.count}`;
    this.turns.Previous.disabled = position.at === 0;
    this.turns.Next.disabled = position.at === position.count - 1;
    this.shut.hidden = !position.gallery.closable;
  }

  turn(by) {
    this.store.position?.gallery.grid.step(by);
  }

  repaint() {
    if (!this.original) return;
    this.layers.refresh(this.store);
    this.side.refresh(this.store, this.layers.regions);
    this.paint.show();
    this.showRule();
    this.panes.paint();
    this.root.dataset.ready = this.url;
  }

  showRule() {
    if (!this.map || !this.data.adjustable) return;
    this.highest ??= this.map.rowMax.reduce((most, code) => Math.max(most, code), 0) * this.map.step;
    const top = Math.max(1.05 * this.highest, 1.5 * (this.store.thresholds.reject ?? 0), this.store.pixel ?? 0);
    this.rule.show(this.original.width * this.original.height, top);
  }

  showZoom() {
    this.zoom.textContent = `${Math.round(this.panes.view.scale * 100)} %`;
    if (this.panes.line) this.read(this.lastRead);
  }

  // Reads the pixel under the pointer, or in the middle when the keyboard moves.
  read(place) {
    this.lastRead = place;
    const parts = [];
    if (place && this.original) {
      const [x, y] = place.map(Math.floor);
      if (x >= 0 && y >= 0 && x < this.original.width && y < this.original.height) {
        parts.push(`x ${x}  y ${y}`);
        const score = this.scoreAt(...place);
        if (score !== null) parts.push(`score ${digits(score, this.data.scoreMax)}`);
      }
    }
    if (this.panes.line) parts.push(this.length());
    this.reading.textContent = parts.join("   ");
  }

  scoreAt(x, y) {
    if (!this.map) return null;
    const { width, height, codes, step } = this.map;
    const column = Math.min(width - 1, Math.floor((x * width) / this.original.width));
    const row = Math.min(height - 1, Math.floor((y * height) / this.original.height));
    return codes[row * width + column] * step;
  }

  length() {
    const [[x0, y0], [x1, y1]] = this.panes.line;
    const pixels = Math.hypot(x1 - x0, y1 - y0);
    const millimetres = this.data.mmPerPixel;
    return `length ${pixels.toFixed(1)} px${millimetres ? `, ${digits(pixels * millimetres)} mm` : ""}`;
  }

  toggleMeasuring() {
    const on = !this.panes.measuring;
    this.measure.setAttribute("aria-pressed", String(on));
    this.panes.measure(on);
    this.read(null);
  }

  toggleTruth() {
    this.panes.showTruth = !this.panes.showTruth;
    this.truth.setAttribute("aria-pressed", String(this.panes.showTruth));
    this.panes.repaint();
  }

  pressed(event) {
    if (event.defaultPrevented || event.composedPath()[0].type === "range") return event.stopPropagation(); // not the page's keys
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "m") this.toggleMeasuring();
    else if (key === "t" && !this.truth.hidden) this.toggleTruth();
    else if (event.key === "Escape" && this.panes.measuring) this.toggleMeasuring();
    else if (event.key in TURNS && this.panes.turning && this.store.position && !event.shiftKey) this.turn(TURNS[event.key]);
    else return;
    event.preventDefault();
  }

  destroy() {
    this.unsubscribe();
    this.store.details -= 1;
    this.store.leave();
    this.stopHolding();
    this.refresh.cancel();
    this.panes.destroy();
    this.sharp.forget();
  }
}
