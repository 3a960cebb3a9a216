// The gallery: threshold strip, controls and the grid of tiles, following each other without the server.

import { PaintControls, holdForOriginal } from "./controls.js";
import { button, el, perFrame, segments, slider, SHORT, typing } from "./dom.js";
import { Grid } from "./grid.js";
import { fetchJson } from "./pictures.js";
import { storeFor, UNPAINTED } from "./store.js";
import { Strip } from "./strip.js";
import { countVerdicts, judge } from "./verdict.js";

const ORDERS = {
  worst: { text: "Worst first", compare: (a, b) => b.score - a.score || a.place - b.place },
  newest: { text: "Newest", compare: (a, b) => b.place - a.place },
  name: { text: "Name", compare: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) },
};
const SMALLEST = 104; // pixels of a tile
const SHORTER = 0.63; // of a gallery's height where the window is short
const PAUSE = 120; // milliseconds that an image must stay current before the page opens it: a held key passes many
const OVERLAYS = '[data-baseweb="popover"], [role="dialog"], [data-testid="stPopoverBody"]';
const FILTERS = { all: "All", reject: "Reject", review: "Review", accept: "Accept" };

export class GalleryViewer {
  constructor(root, data, send) {
    this.root = root;
    this.send = send;
    this.store = storeFor(data.link);
    this.order = "worst";
    this.filter = "all";
    this.items = [];
    this.tilesUrl = null;
    this.build(data);
    this.refilter = perFrame(() => this.arrange());
    this.stopHolding = holdForOriginal(root, this.store);
    this.unsubscribe = this.store.subscribe((changes) => this.changed(changes));
    this.escape = (event) => this.escaped(event);
    this.lookForOverlay = (event) => (this.overlay = event.key === "Escape" && document.querySelector(OVERLAYS) !== null);
    document.addEventListener("keydown", this.lookForOverlay, true); // before an overlay closes itself
    document.addEventListener("keydown", this.escape);
  }

  build(data) {
    this.grid = new Grid(this.store, {
      open: (key) => this.open(key),
      move: (key) => (this.store.details ? this.open(key, PAUSE) : this.store.leave()),
      select: (keys) => {
        this.showSelection(keys.length);
        this.send.state("selected", keys);
      },
      label: (key, label) => this.label(key, label),
    });
    this.borderline = data.borderline;
    this.asGiven = data.asGiven;
    this.grid.labelled = data.labels;
    this.grid.quiet = data.asGiven;
    this.strip = data.strip ? new Strip(this.store, (thresholds) => this.send.event("threshold", thresholds),
      (key) => this.grid.goToKey(key) && this.grid.report.move(key)) : null;
    this.orders = segments("Order", options(ORDERS, (value) => ORDERS[value].text), this.order, (order) => {
      this.order = order;
      this.arrange();
    });
    this.filters = segments("Show", options(FILTERS, (value) => FILTERS[value]), this.filter, (filter) => {
      this.filter = filter;
      this.arrange();
      this.grid.element.scrollTop = 0;
    });
    this.paint = new PaintControls(this.store);
    const tileWidth = SHORT.matches ? SMALLEST : data.tileWidth;
    this.size = slider("Tile", { min: SMALLEST, max: 320, step: 4, value: tileWidth, format: (px) => `${px} px` },
      (width) => {
        this.grid.tileWidth = width;
        this.grid.refresh();
      });
    this.grid.tileWidth = tileWidth;
    this.empty = el("p", { class: "empty", hidden: true });
    this.chosen = el("span", { class: "chosen num", role: "status" });
    for (const control of [this.orders, this.filters, this.size]) control.hidden = Boolean(data.borderline) || data.asGiven;
    const bar = el("div", { class: "toolbar" }, this.filters, this.orders, this.size, this.paint.element, this.chosen);
    this.view = button("View", () => this.view.setAttribute("aria-expanded", String(bar.classList.toggle("open"))),
      { class: "btn fold", "aria-expanded": "false", title: "Order, size of the tiles, and how the map is painted" });
    this.filters.after(this.view);
    this.root.append(...[bar,
      this.strip?.element, this.empty, this.grid.element].filter(Boolean));
  }

  async update(data) {
    this.store.adopt(data.given);
    this.closable = data.closable;
    const height = SHORT.matches ? SHORTER * data.height : data.height;
    if (this.height !== height) requestAnimationFrame(() => this.grid.goTo(this.grid.active));
    this.height = height;
    this.grid.element.style.maxHeight = `${height}px`;
    this.paint.show();
    this.grid.loader.failed.clear();
    if (data.tilesUrl !== this.tilesUrl) {
      this.tilesUrl = data.tilesUrl;
      const { tiles, reference } = await fetchJson(data.tilesUrl);
      if (data.tilesUrl !== this.tilesUrl) return; // overtaken by a later run
      this.items = tiles.map((tile, place) => ({ ...tile, place }));
      this.reference = reference;
    }
    this.receive();
  }

  receive() {
    const { reject } = this.store.thresholds;
    const highest = this.items.reduce((most, { score }) => Math.max(most, score), 0);
    this.scoreMax = Math.max(highest, reject === null ? 0 : 1.2 * reject) || 1;
    const known = new Set(this.items.map((item) => item.key));
    this.grid.selected = new Set([...this.grid.selected].filter((key) => known.has(key)));
    this.showSelection(this.grid.selected.size);
    this.strip?.setDots(this.items, this.reference);
    this.arrange();
    this.thresholdMoved();
    this.grid.repaint();
  }

  // Opens an image; after a pause only if it is current still, and without moving the page.
  open(key, pause = 0) {
    this.store.ask(key, !pause);
    clearTimeout(this.opening);
    const tell = () => this.send.event("opened", key);
    if (pause) this.opening = setTimeout(tell, pause);
    else tell();
  }

  get hasCurrent() {
    return this.store.current !== null && this.grid.placeOf(this.store.current) >= 0;
  }

  close() {
    clearTimeout(this.opening);
    this.send.event("closed", this.store.current);
  }

  escaped(event) {
    const elsewhere = event.defaultPrevented || this.overlay || typing(event);
    if (event.key === "Escape" && !elsewhere && this.closable && this.hasCurrent) this.close();
  }

  // The tile of the current image is marked and in sight; where nothing is open any more, it has the focus again.
  currentChanged() {
    const here = this.store.current === null || this.grid.goToKey(this.store.current);
    this.grid.markAll();
    this.placeCurrent();
    if (this.store.current !== null) this.had = here;
    else if (this.had) {
      this.had = false;
      requestAnimationFrame(() => { // when the detail has left the page
        const place = this.root.getRootNode().host ?? this.root; // Streamlit sets each component apart
        if (document.activeElement?.contains(place) ?? true) this.grid.element.focus({ preventScroll: true });
      });
    }
  }

  // Tells the detail where in this gallery its image is.
  placeCurrent() {
    const { position, current } = this.store;
    const at = current === null ? -1 : this.grid.placeOf(current);
    const count = this.grid.items.length;
    if (at >= 0) {
      if (position?.gallery !== this || position.at !== at || position.count !== count) this.store.set({ position: { at, count, gallery: this } });
    } else if (position?.gallery === this) this.store.set({ position: null });
  }

  changed(changes) {
    if ("current" in changes) this.currentChanged();
    if ("hover" in changes) {
      this.grid.markAll();
      this.strip?.hovered();
    }
    if ("thresholds" in changes || "pixel" in changes || "judgeBy" in changes || "pictureCheck" in changes) {
      this.thresholdMoved();
      if (this.filter !== "all" || this.borderline) this.refilter();
    }
    if (Object.keys(changes).some((name) => !UNPAINTED.has(name))) {
      this.paint.show();
      this.grid.repaint();
    }
  }

  thresholdMoved() {
    const { thresholds } = this.store;
    const counts = countVerdicts(this.items, this.store);
    for (const [value, text] of Object.entries(FILTERS)) {
      this.filters.relabel(value, `${text} ${value === "all" ? this.items.length : counts[value]}`);
    }
    const share = thresholds.reject === null ? -1 : Math.min(1, Math.max(0, thresholds.reject / this.scoreMax));
    this.grid.element.style.setProperty("--tick", `${(100 * share).toFixed(2)}%`);
    this.strip?.moved(counts);
  }

  arrange() {
    const shown = this.borderline ? nearest(this.items, this.store.thresholds, this.borderline)
      : this.items.filter((item) => this.filter === "all" || judge(item, this.store) === this.filter);
    if (!this.asGiven) shown.sort(ORDERS[this.order].compare);
    this.empty.hidden = shown.length > 0;
    this.empty.textContent = this.items.length ? `No image is ${this.filter === "all" ? "here" : `a ${this.filter}`} at this threshold.`
      : "No images yet.";
    this.grid.show(shown, this.scoreMax);
    this.had ||= this.hasCurrent && this.grid.goToKey(this.store.current);
    this.placeCurrent();
  }

  // Labels an image; the tile shows the label at once, the page hears of it.
  label(key, label) {
    const item = this.items.find((candidate) => candidate.key === key);
    if (!item || (label === null && item.kind === "image")) return;
    item.kind = label ?? "image";
    item.truth = label ?? undefined;
    this.grid.relabel(key);
    this.strip?.draw();
    this.send.event("labelled", { key, label });
  }

  showSelection(count) {
    this.chosen.textContent = count ? `${count} selected` : "";
  }

  destroy() {
    this.unsubscribe();
    this.stopHolding();
    clearTimeout(this.opening);
    document.removeEventListener("keydown", this.lookForOverlay, true);
    document.removeEventListener("keydown", this.escape);
    if (this.store.position?.gallery === this) this.store.set({ position: null });
    this.refilter.cancel();
    this.grid.destroy();
    this.strip?.destroy();
  }
}

// The images nearest the reject threshold, half on either side; where one side has fewer, more of the other.
export function nearest(items, { reject }, count) {
  if (reject === null) return items.slice(0, count);
  const away = (side) => items.filter(side).sort((a, b) => Math.abs(a.score - reject) - Math.abs(b.score - reject));
  const [above, below] = [away(({ score }) => score > reject), away(({ score }) => score <= reject)];
  const upper = Math.max(count >> 1, count - below.length);
  return [...above.slice(0, upper), ...below.slice(0, count - Math.min(upper, above.length))];
}

function options(table, text) {
  return Object.keys(table).map((value) => ({ value, text: text(value) }));
}
