// The words beside a detail: verdict, scale, regions, and the reason (the nearest good place).

import { closeView } from "./closeup.js";
import { button, digits, el } from "./dom.js";
import { Legend } from "./legend.js";
import { decidedPlace } from "./place.js";
import { judge, judgePatches, VERDICTS } from "./verdict.js";

const REGIONS_SHOWN = 6;

export class Side {
  constructor(panes) {
    this.panes = panes;
    this.verdict = el("div", { class: "headline num", role: "status" });
    this.ratio = el("div", { class: "mute num" });
    this.legend = new Legend();
    this.regionsTitle = el("h3");
    this.place = el("button", { type: "button", class: "decided", hidden: true, onclick: () => panes.view.lookAt(panes.decided),
      title: "The patch that gave the score. Click to look closely" }, el("i", { class: "dashes" }), "Place that decided");
    this.regions = el("ol", { class: "regions num" });
    this.whyText = el("p", { class: "why-text" });
    this.pair = el("div", { class: "pair" });
    this.why = el("section", { class: "why", hidden: true }, this.whyText, this.pair);
    this.element = el("div", { class: "side" }, el("div", {}, this.verdict, this.ratio, this.legend.element),
      el("section", {}, this.place, this.regionsTitle, this.regions), this.why);
  }

  show(data) {
    this.data = data;
    this.panes.doubted = data.doubts.flatMap(({ box }) => (box ? [box] : []));
    const why = JSON.stringify(data.why);
    if (why === this.whyShown) return;
    this.whyShown = why;
    this.why.hidden = !data.why;
    this.pair.replaceChildren();
    if (data.why) this.showWhy(data.why);
  }

  showWhy({ name, distance, test, neighbour, box }) {
    this.closest = `Closest: ${name} (distance ${digits(distance)}).`;
    this.pair.append(closeView("This image", test), closeView(name, neighbour));
    const point = (on) => {
      this.panes.marks = on ? [box] : [];
      this.panes.repaint();
    };
    this.why.onpointerenter = () => point(true);
    this.why.onpointerleave = () => point(false);
  }

  refresh(store, regions) {
    const { score, scoreMax } = this.data;
    const { reject } = store.thresholds;
    const verdict = judge(this.data, store);
    const { word, sign } = VERDICTS[verdict];
    const text = `${sign} ${word[0].toUpperCase()}${word.slice(1)} `;
    if (this.verdict.textContent !== text + digits(score, scoreMax)) this.verdict.textContent = text + digits(score, scoreMax);
    this.verdict.className = `headline num ${verdict}`;
    this.ratio.textContent = reject === null ? "no threshold has been set" : reject > 0
      ? `${(score / reject).toFixed(2)} times the threshold ${digits(reject, scoreMax)}` : `threshold ${digits(reject, scoreMax)}`;
    const begin = judgePatches(this.data, store) === "accept" ? "The strangest place here is like good parts." : "Nothing like this in any good part.";
    if (this.data.why) this.whyText.replaceChildren(el("b", { text: "Why " }), `${begin} ${this.closest}`);
    this.legend.show(store);
    this.panes.decided = decidedPlace(this.data, store);
    this.place.hidden = !this.panes.decided;
    this.showRegions(store, regions);
  }

  showRegions(store, regions) {
    const low = this.panes.decided ? "The smoothed map stays below the pixel threshold" : "Nothing lies above the pixel threshold";
    const none = store.pixelThreshold === null ? "" : low;
    const pixel = store.pixelThreshold === null ? "" : ` above ${digits(store.pixelThreshold, this.data.scoreMax)}`;
    this.regionsTitle.textContent = regions.length ? `${regions.length} ${regions.length === 1 ? "region" : "regions"}${pixel}` : none;
    const shown = regions.slice(0, REGIONS_SHOWN);
    this.regions.replaceChildren(...shown.map((region) => this.region(region)));
    if (regions.length > shown.length) this.regions.append(el("li", { class: "mute", text: `and ${regions.length - shown.length} smaller scores` }));
  }

  region({ area, box, score }) {
    const millimetres = this.data.mmPerPixel;
    const size = millimetres ? `${digits(area * millimetres ** 2)} mm²` : `${area.toLocaleString("en")} px`;
    const point = (on) => {
      this.panes.marks = on ? [box] : [];
      this.panes.repaint();
    };
    return el("li", {}, button(`${digits(score, this.data.scoreMax)}  ${size}`, () => this.panes.view.lookAt(box), {
      class: "region", title: `x ${box[0]} to ${box[2]}, y ${box[1]} to ${box[3]}. Click to look closely`,
      onpointerenter: () => point(true), onpointerleave: () => point(false), onfocus: () => point(true), onblur: () => point(false),
    }));
  }
}
