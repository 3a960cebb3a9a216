// The scrolling grid of tiles: only those near the screen exist, however many images there are. Works like a listbox.

import { el, perFrame, SHORT, typing } from "./dom.js";
import { PictureLoader } from "./loader.js";
import { paintingOf, Tile } from "./tile.js";

const GAP = 12;
const CAPTION = { tall: 65, short: 47 }; // as gallery.css has them
const LABELS = 30;
const LABEL_KEYS = { g: "good", d: "defect" };
const AHEAD = 2; // screens decoded before they come into sight
let grids = 0;

export class Grid {
  constructor(store, report) {
    this.store = store;
    this.report = report; // { open(key), move(key), select(keys), label(key, label) }
    this.quiet = false; // whether the cursor shows only with the focus: there may be other grids beside this one
    this.labelled = false; // whether images can be labelled here
    this.id = `grid${++grids}`;
    this.items = [];
    this.active = 0;
    this.selected = new Set();
    this.tiles = new Map(); // place -> Tile
    this.spare = [];
    this.tileWidth = 170;
    this.alike = 0; // characters with which all names begin
    this.ending = 0; // and end
    this.scoreMax = 1;
    this.paintLog = []; // milliseconds of each repaint, for measurements
    this.loader = new PictureLoader((url, picture) => this.arrived(url, picture));
    this.sheet = el("div", { class: "sheet", role: "presentation" });
    this.element = el("div", { class: "grid", role: "listbox", tabindex: 0, "aria-label": "Images",
      "aria-multiselectable": "true" }, this.sheet);
    this.element.paintLog = this.paintLog;
    this.refresh = perFrame(() => this.layout());
    this.repaint = perFrame(() => this.paintAll());
    this.element.addEventListener("scroll", () => this.layout(), { passive: true });
    this.element.addEventListener("click", (event) => this.clicked(event));
    this.element.addEventListener("keydown", (event) => this.pressed(event));
    this.element.addEventListener("pointerover", (event) => this.pointed(event));
    this.element.addEventListener("pointerleave", () => store.set({ hover: null }));
    for (const change of ["focus", "blur"]) this.element.addEventListener(change, () => this.markAll());
    this.sizes = new ResizeObserver(this.refresh);
    this.sizes.observe(this.element);
  }

  destroy() {
    this.sizes.disconnect();
    this.refresh.cancel();
    this.repaint.cancel();
    this.loader.want([]);
  }

  show(items, scoreMax) {
    const key = this.items[this.active]?.key;
    this.items = items;
    const names = items.map((item) => item.name);
    this.alike = sharedLength(names);
    this.ending = sharedLength(names.map((name) => [...name].reverse().join("")));
    this.scoreMax = scoreMax;
    const still = items.findIndex((item) => item.key === key);
    this.active = still >= 0 ? still : Math.max(0, Math.min(this.active, items.length - 1));
    this.layout();
  }

  layout() {
    const width = this.sheet.clientWidth;
    if (!width) return;
    this.columns = Math.max(1, Math.round((width + GAP) / (this.tileWidth + GAP)));
    this.cell = (width - GAP * (this.columns - 1)) / this.columns;
    this.rowHeight = this.cell + CAPTION[SHORT.matches ? "short" : "tall"] + (this.labelled ? LABELS : 0) + GAP;
    const rows = Math.ceil(this.items.length / this.columns);
    this.sheet.style.height = `${Math.max(0, rows * this.rowHeight - GAP)}px`;
    const [first, last] = this.placesWithin(1);
    this.recycle(first, last);
    for (let place = first; place < last; place++) this.put(place);
    this.element.setAttribute("aria-activedescendant", this.tiles.has(this.active) ? `${this.id}-${this.active}` : "");
    this.loader.want(this.urgency());
  }

  // Places of the rows on screen and `rows` more on either side.
  placesWithin(rows) {
    const top = Math.floor(this.element.scrollTop / this.rowHeight) - rows;
    const bottom = Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.rowHeight) + rows;
    return [Math.max(0, top * this.columns), Math.min(this.items.length, bottom * this.columns)];
  }

  urgency() {
    const [first, last] = this.placesWithin(1);
    const screen = Math.max(this.columns, last - first) * AHEAD;
    return [
      ...this.items.slice(first, last),
      ...this.items.slice(last, last + screen),
      ...this.items.slice(Math.max(0, first - screen), first).reverse(),
    ].map((item) => item.url);
  }

  recycle(first, last) {
    for (const [place, tile] of this.tiles) {
      if (place >= first && place < last) continue;
      this.tiles.delete(place);
      tile.element.hidden = true;
      this.spare.push(tile);
    }
  }

  put(place) {
    const item = this.items[place];
    let tile = this.tiles.get(place);
    if (!tile) {
      const same = this.spare.findIndex((candidate) => candidate.item === item);
      tile = same >= 0 ? this.spare.splice(same, 1)[0] : this.spare.pop() ?? this.born();
      this.tiles.set(place, tile);
      tile.element.hidden = false;
      tile.element.id = `${this.id}-${place}`;
    }
    const { style } = tile.element;
    style.width = `${this.cell}px`;
    style.transform = `translate(${(place % this.columns) * (this.cell + GAP)}px, ${
      Math.floor(place / this.columns) * this.rowHeight}px)`;
    const fresh = tile.item !== item;
    tile.setItem(item, place, this.items.length, this.scoreMax, this.alike, this.ending);
    this.mark(tile, place);
    tile.showVerdict(this.store, this.scoreMax);
    if (!fresh && tile.picture) return;
    const picture = this.loader.get(item.url);
    if (picture) {
      tile.setPicture(picture);
      tile.paint(paintingOf(this.store));
    }
  }

  born() {
    const tile = new Tile(`${this.id}-new`);
    if (this.labelled) tile.offerLabels();
    this.sheet.append(tile.element);
    return tile;
  }

  mark(tile, place) {
    const { current } = this.store;
    const isCurrent = tile.item.key === current;
    const pointed = place === this.active && ((current === null && !this.quiet) || this.element.matches(":focus"));
    tile.element.classList.toggle("active", isCurrent || pointed);
    tile.element.toggleAttribute("aria-current", isCurrent);
    tile.element.classList.toggle("hover", tile.item.key === this.store.hover);
    tile.element.setAttribute("aria-selected", String(this.selected.has(tile.item.key)));
  }

  markAll() {
    for (const [place, tile] of this.tiles) this.mark(tile, place);
  }

  arrived(url, picture) {
    for (const tile of this.tiles.values()) {
      if (tile.item.url !== url) continue;
      tile.setPicture(picture);
      tile.paint(paintingOf(this.store));
    }
  }

  paintAll() {
    const start = performance.now();
    const painting = paintingOf(this.store);
    for (const tile of this.tiles.values()) {
      tile.showVerdict(this.store, this.scoreMax);
      tile.paint(painting);
    }
    this.paintLog.push({ tiles: this.tiles.size, ms: performance.now() - start });
    if (this.paintLog.length > 1000) this.paintLog.shift();
  }

  // Moves to an image (from the strip, or by keyboard) and brings it into sight.
  goTo(place) {
    if (!this.items.length) return;
    this.active = Math.max(0, Math.min(this.items.length - 1, place));
    const top = Math.floor(this.active / this.columns) * this.rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight) {
      this.element.scrollTop = top + this.rowHeight - GAP - clientHeight;
    }
    this.layout();
    this.markAll();
  }

  // Shows the present label of an image.
  relabel(key) {
    for (const tile of this.tiles.values()) {
      if (tile.item.key !== key) continue;
      tile.showLabel();
      tile.showVerdict(this.store, this.scoreMax);
    }
  }

  // A label given twice is taken back.
  giveLabel(place, label) {
    const { key, kind, fixed } = this.items[place];
    if (fixed) return;
    this.report.label(key, kind === label ? null : label);
  }

  // Tells whether the image is here.
  goToKey(key) {
    const place = this.placeOf(key);
    if (place >= 0) this.goTo(place);
    return place >= 0;
  }

  placeOf(key) {
    return this.items.findIndex((item) => item.key === key);
  }

  // Goes to the image so many places further on, as the arrow keys do.
  step(by) {
    if (!this.items.length) return;
    this.goTo(this.active + by);
    this.report.move(this.items[this.active].key);
  }

  toggle(place) {
    const key = this.items[place].key;
    if (!this.selected.delete(key)) this.selected.add(key);
    this.selectionChanged();
  }

  selectionChanged() {
    this.markAll();
    this.report.select([...this.selected]);
  }

  clicked(event) {
    const element = event.target.closest(".tile");
    const found = [...this.tiles].find(([, tile]) => tile.element === element);
    if (!found) return;
    const [place] = found;
    const label = event.target.closest("[data-label]")?.dataset.label;
    if (label) this.giveLabel(place, label);
    else if (event.shiftKey) {
      const [from, to] = [Math.min(this.active, place), Math.max(this.active, place)];
      for (const item of this.items.slice(from, to + 1)) this.selected.add(item.key);
      this.selectionChanged();
    } else if (event.ctrlKey || event.metaKey || event.target.closest(".check")) this.toggle(place);
    else this.report.open(this.items[place].key);
    this.goTo(place);
  }

  pointed(event) {
    const key = event.target.closest(".tile")?.dataset.key ?? null;
    if (key !== this.store.hover) this.store.set({ hover: key });
  }

  pressed(event) {
    if (typing(event) || event.altKey) return;
    const page = this.columns * Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight));
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns,
      PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in moves) this.step(moves[event.key]);
    else if (!this.items.length) return;
    else if (event.key === "Enter") this.report.open(this.items[this.active].key);
    else if (event.key === " ") this.toggle(this.active);
    else if (this.labelled && event.key in LABEL_KEYS && !event.ctrlKey) this.giveLabel(this.active, LABEL_KEYS[event.key]);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      for (const item of this.items) this.selected.add(item.key);
      this.selectionChanged();
    } else if (event.key === "Escape" && this.selected.size) {
      this.selected.clear();
      this.selectionChanged();
    } else return;
    event.preventDefault();
  }
}

function sharedLength([first = "", ...others]) {
  let length = others.length ? first.length : 0;
  for (const name of others) while (!name.startsWith(first.slice(0, length))) length--;
  return length;
}
