// The first scene: the product, and what its inspector learned from.

import { el } from "./dom.js";
import { mediaUrl } from "./pictures.js";

const FEWEST_ROWS = 2;
const MOST_ROWS = 7;
const NEARLY = 0.93; // of the most area that pictures can fill; fewer and larger ones are better to see

export class OpeningScene {
  name = "product";
  title = "The product";
  hint = "→ or Page Down: on · F: full screen · Esc: leave";

  constructor({ contents, parts, send, wants }) {
    Object.assign(this, { wants });
    this.first = contents.telling.slice(0, 2).filter((key) => parts.has(key));
    const facts = contents.facts.map(([number, after]) =>
      el("p", {}, el("b", { class: "num", text: number }), ` ${after}`));
    this.choice = el("select", { "aria-label": "Parts that are shown", onchange: () => send.event("batch", { id: this.choice.value }) },
      ...contents.batches.map(([id, label]) => el("option", { value: id, text: label, selected: id === contents.batch })));
    const shown = contents.batches.length > 1 ? this.choice : el("span", { text: contents.batches[0]?.[1] ?? "no parts yet" });
    this.photographs = contents.gallery.map((url) => el("img", { src: mediaUrl(url), alt: "", onload: () => this.sized() }));
    this.mosaic = el("div", { class: this.photographs.length ? "show-mosaic" : "show-bare", role: "img", "aria-label": "Good parts that it learned from" },
      ...(this.photographs.length ? this.photographs
        : [el("p", { class: "mute", text: "The good photographs are not in this workspace: the inspector was imported." })]));
    this.element = el("section", { class: "show-opening", "aria-label": this.title },
      el("div", {}, el("h1", { text: contents.title }), 
        el("div", { class: "show-facts" }, el("h2", { text: "It learned from" }), ...facts),
        el("p", { class: "mute show-small" }, "To be shown: ", shown), el("p", { class: "mute show-small", text: contents.note })),
      this.mosaic);
  }

  enter() {
    this.sized();
    this.fed();
  }

  // Prepares the first parts, whose reason takes seconds at first, while the audience looks at the product.
  fed() {
    const [first, second] = this.first;
    this.wants.want([["pictures", first], ["reasons", first], ["pictures", second]].filter(([, key]) => key).map(([what, key]) => ({ what, keys: [key] })));
  }

  // Lays the photographs in full rows that fill the room, whatever their shape.
  sized() {
    const [first] = this.photographs;
    if (!first?.naturalWidth || !this.mosaic.clientWidth) return;
    const { columns, shown, height, width } = rowsFor(this.photographs.length, first.naturalWidth / first.naturalHeight, this.mosaic);
    this.mosaic.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    this.mosaic.style.gridAutoRows = `${height}px`;
    this.photographs.forEach((photograph, at) => (photograph.hidden = at >= shown));
  }
}

function rowsFor(number, shape, { clientWidth, clientHeight }) {
  const gap = clientWidth / 90;
  const found = [];
  for (let rows = FEWEST_ROWS; rows <= MOST_ROWS; rows++) {
    const height = Math.min((clientHeight - (rows - 1) * gap) / rows, clientWidth / shape);
    const columns = Math.max(1, Math.min(number, Math.floor((clientWidth + gap) / (height * shape + gap))));
    const shown = Math.min(rows, Math.max(1, Math.floor(number / columns))) * columns;
    found.push({ columns, shown: Math.min(shown, number), height, width: height * shape, area: shown * height * height * shape });
  }
  const most = Math.max(...found.map(({ area }) => area));
  return found.find(({ area }) => area >= NEARLY * most);
}
