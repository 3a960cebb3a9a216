// The gallery: threshold strip, controls and the grid of tiles, following each other without the server.

import { PaintControls, holdForOriginal } from "./controls.js";
import { el, perFrame, segments, slider } from "./dom.js";
import { Grid } from "./grid.js";
import { fetchJson } from "./pictures.js";
import { storeFor } from "./store.js";
import { Strip } from "./strip.js";
import { countVerdicts, judge } from "./verdict.js";

const ORDERS = {
  worst: { text: "Worst first", compare: (a, b) => b.score - a.score || a.place - b.place },
  newest: { text: "Newest", compare: (a, b) => b.place - a.place },
  name: { text: "Name", compare: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) },
};
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
  }

  build(data) {
    this.grid = new Grid(this.store, {
      open: (key) => this.send.event("opened", key),
      select: (keys) => {
        this.showSelection(keys.length);
        this.send.state("selected", keys);
      },
      label: (key, label) => this.label(key, label),
    });
    this.borderline = data.borderline;
    this.asGiven = data.asGiven;
    this.grid.labelled = data.labels;
    this.strip = data.strip ? new Strip(this.store, (thresholds) => this.send.event("threshold", thresholds),
      (key) => this.grid.goToKey(key)) : null;
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
    this.size = slider("Tile", { min: 104, max: 320, step: 4, value: data.tileWidth, format: (px) => `${px} px` },
      (width) => {
        this.grid.tileWidth = width;
        this.grid.refresh();
      });
    this.grid.tileWidth = data.tileWidth;
    this.grid.element.style.maxHeight = `${data.height}px`;
    this.empty = el("p", { class: "empty", hidden: true });
    this.chosen = el("span", { class: "chosen num", role: "status" });
    for (const control of [this.orders, this.filters, this.size]) control.hidden = Boolean(data.borderline) || data.asGiven;
    this.root.append(...[
      el("div", { class: "toolbar" }, this.orders, this.filters, this.size, this.paint.element, this.chosen),
      this.strip?.element, this.empty, this.grid.element].filter(Boolean));
  }

  async update(data) {
    this.store.adopt(data.given);
    this.grid.element.style.maxHeight = `${data.height}px`;
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

  changed(changes) {
    if ("hover" in changes) {
      this.grid.markAll();
      this.strip?.hovered();
    }
    if ("thresholds" in changes || "pixel" in changes || "judgeBy" in changes || "pictureCheck" in changes) {
      this.thresholdMoved();
      if (this.filter !== "all" || this.borderline) this.refilter();
    }
    if (Object.keys(changes).some((name) => name !== "hover")) {
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
