// The heat scale in score units: clear up to the threshold, its tick, the colours from there to the top.

import { digits, el } from "./dom.js";
import { heatCss, Scale } from "./heat.js";

export class Legend {
  constructor() {
    this.bar = el("div", { class: "bar" });
    this.tick = el("u");
    this.low = el("span", { text: "0" });
    this.mid = el("span", { class: "mid" });
    this.high = el("span");
    this.element = el("div", { class: "legend num", role: "img" },
      el("div", { class: "track" }, this.bar, this.tick), el("div", { class: "ends" }, this.low, this.mid, this.high));
    const stops = Array.from({ length: 9 }, (_, at) => heatCss(Math.round((at * 255) / 8)));
    this.bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  }

  show(store) {
    const threshold = store.pixelThreshold;
    this.element.hidden = threshold === null;
    if (threshold === null) return;
    const { top } = Scale.anchored(threshold);
    const share = `${((100 * threshold) / top).toFixed(2)}%`;
    this.bar.style.left = this.tick.style.left = this.mid.style.left = share;
    this.mid.textContent = digits(threshold, top);
    this.high.textContent = `${digits(top)}+`;
    this.element.setAttribute("aria-label",
      `Heat colours from the threshold ${digits(threshold, top)} to ${digits(top)} and above`);
  }
}
