// The threshold strip: every score as a dot on one axis, the thresholds as lines to drag. Shape shows an image's
// label, colour its verdict; a wrong verdict is red.

import { digits, el, perFrame } from "./dom.js";
import { DotPlot } from "./dots.js";
import { Handle } from "./handle.js";
import { assignShapes } from "./marks.js";
import { fetchJson } from "./pictures.js";
import { storeFor } from "./store.js";
import { countVerdicts, VERDICTS } from "./verdict.js";

export class Strip {
  constructor(store, released, chosen) {
    this.store = store;
    this.released = released;
    this.items = [];
    this.range = { low: 0, high: 1 };
    this.plot = new DotPlot();
    this.counts = {};
    this.summary = el("div", { class: "counts num" });
    for (const name of ["reject", "review", "accept"]) {
      const number = el("b", { text: "0" });
      this.counts[name] = { number, part: el("span", { class: name }, number, ` ${VERDICTS[name].sign} ${name}`) };
      this.summary.append(this.counts[name].part);
    }
    this.hint = el("span", { class: "mute hint" });
    this.summary.append(this.hint);
    this.shapes = el("div", { class: "shapes mute" });
    this.handles = {
      review: new Handle("review", "review from", this),
      reject: new Handle("reject", "reject from", this),
    };
    this.stage = el("div", { class: "stage" }, this.plot.canvas, this.handles.review.element, this.handles.reject.element);
    this.tip = el("div", { class: "tip num", hidden: true, role: "status" });
    this.stage.append(this.tip);
    this.element = el("section", { class: "strip panel", "aria-label": "Scores and thresholds" },
      el("div", { class: "head" }, this.summary, this.shapes), this.stage);
    this.draw = perFrame(() => this.paint());
    this.sizes = new ResizeObserver(this.draw);
    this.sizes.observe(this.stage);
    this.stage.addEventListener("pointermove", (event) => this.pointed(event));
    this.stage.addEventListener("pointerleave", () => store.hover !== null && store.set({ hover: null }));
    this.plot.canvas.addEventListener("click", (event) => {
      const dot = this.plot.at(event.offsetX, event.offsetY);
      if (dot && dot.kind !== "reference") chosen(dot.key);
    });
  }

  destroy() {
    this.sizes.disconnect();
    this.draw.cancel();
    for (const handle of Object.values(this.handles)) handle.destroy();
  }

  setDots(items, reference = []) {
    this.items = [...(reference ?? []).map((dot) => ({ ...dot, kind: "reference" })), ...items];
    const scores = this.items.map((item) => item.score);
    const limits = Object.values(this.store.thresholds).filter((value) => value !== null);
    const high = Math.max(...limits.map((value) => value * 1.15), scores.reduce((a, b) => Math.max(a, b), 0) * 1.04) || 1;
    const least = scores.reduce((a, b) => Math.min(a, b), Math.min(high, ...limits));
    this.range = { low: least > 0.4 * high ? least - 0.1 * (high - least) : Math.min(0, least), high };
    this.shapes.replaceChildren(...assignShapes(this.items).map(({ sign, text }) => el("span", { text: `${sign} ${text}` })));
    this.draw();
  }

  moved(counts) {
    const { reject, review } = this.store.thresholds;
    for (const [name, { number, part }] of Object.entries(this.counts)) {
      number.textContent = counts[name];
      part.hidden = name === "review" && review === null && !counts.review;
    }
    this.hint.textContent = reject === null ? "no threshold yet"
      : review === null ? "drag the line to move the threshold" : "drag the lines to move the thresholds";
    this.draw();
  }

  hovered() {
    this.draw();
  }

  // Moves one threshold; the other one gives way, so that review never lies above reject.
  move(name, value) {
    const { low, high } = this.range;
    const bounded = Math.min(high, Math.max(Math.max(0, low), value));
    const next = { ...this.store.thresholds, [name]: bounded };
    if (next.review !== null && next.review > next.reject) next[name === "reject" ? "review" : "reject"] = bounded;
    this.store.set({ thresholds: next });
  }

  release() {
    this.released({ ...this.store.thresholds, revision: this.store.revision });
  }

  scoreAt(clientX) {
    const { left } = this.stage.getBoundingClientRect();
    return this.plot.scoreAt(clientX - left, this.range);
  }

  paint() {
    this.plot.paint(this.stage, this.items, this.range, this.store);
    for (const [name, handle] of Object.entries(this.handles)) {
      const value = this.store.thresholds[name];
      handle.show(value, value === null ? 0 : this.plot.place(value, this.range), this.range, this.plot.width);
    }
    this.handles.review.giveWayTo(this.handles.reject);
    this.showTip();
  }

  pointed(event) {
    if (event.buttons) return;
    const dot = this.plot.at(event.offsetX, event.offsetY, event.target);
    const key = dot && event.target === this.plot.canvas ? dot.key : null;
    this.stage.classList.toggle("on-dot", key !== null);
    if (key !== this.store.hover) this.store.set({ hover: key });
  }

  showTip() {
    const dot = this.store.hover === null ? null : this.plot.placed.find(({ item }) => item.key === this.store.hover);
    this.tip.hidden = !dot;
    if (!dot) return;
    this.tip.textContent = `${dot.item.name} ${digits(dot.item.score, this.range.high)}`;
    this.tip.style.left = `${Math.min(Math.max(dot.x, 70), this.plot.width - 70)}px`;
    this.tip.style.top = `${dot.y}px`;
  }
}

// The strip on its own, linked to galleries and details elsewhere on the page.
export class StripViewer {
  constructor(root, data, send) {
    this.store = storeFor(data.link);
    this.strip = new Strip(this.store, (thresholds) => send.event("threshold", thresholds),
      (key) => {
        this.store.ask(key, true);
        send.event("opened", key);
      });
    root.append(this.strip.element);
    this.strip.plot.density = data.density;
    this.items = [];
    this.dotsUrl = null;
    this.unsubscribe = this.store.subscribe((changes) => {
      if ("thresholds" in changes || "judgeBy" in changes || "pixel" in changes || "pictureCheck" in changes) this.moved();
      else if ("hover" in changes) this.strip.hovered();
    });
  }

  async update(data) {
    this.store.adopt(data.given);
    if (data.dotsUrl !== this.dotsUrl) {
      this.dotsUrl = data.dotsUrl;
      const dots = await fetchJson(data.dotsUrl);
      if (data.dotsUrl !== this.dotsUrl) return;
      this.items = dots;
    }
    this.strip.setDots(this.items);
    this.moved();
  }

  moved() {
    this.strip.moved(countVerdicts(this.items.filter((item) => item.kind !== "reference"), this.store));
  }

  destroy() {
    this.unsubscribe();
    this.strip.destroy();
  }
}
