// The threshold moved live: a line over all scores, the two numbers, and pictures from clear to strange that follow it.
// Nothing is put into force from here.

import { bigNumber } from "./figures.js";
import { button, digits, el, perFrame } from "./dom.js";
import { moved, paintingFor, ratesOf } from "./judging.js";
import { PictureLoader } from "./loader.js";
import { drawMark, assignShapes } from "./marks.js";
import { framePlace } from "./place.js";
import { themeColour } from "./theme.js";
import { paintPicture } from "./tile.js";
import { errorOf, judge, VERDICTS } from "./verdict.js";

const PICTURES = 16;
const STEPS = 200;

export class SweepScene {
  name = "threshold";
  title = "The threshold";
  hint = "↑ ↓ move the threshold, with Shift ten times as far · 0: back · → on";

  constructor({ contents, inForce, pixel, wants, root }) {
    Object.assign(this, { inForce, pixel, wants, root, known: contents.known });
    const counted = new Set(contents.known.items.map(({ key }) => key));
    this.dots = [...contents.known.items, ...contents.parts.filter(({ key, kind }) => kind === "image" && !counted.has(key))];
    assignShapes(this.dots);
    this.items = spread(contents.parts);
    this.by = inForce;
    this.loader = new PictureLoader(() => this.draw());
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.line = el("div", { class: "show-line", role: "slider", tabindex: 0, "aria-label": "Threshold on trial" }, el("span", { class: "num" }));
    this.stage = el("div", { class: "show-axis" }, this.canvas, this.line);
    this.numbers = el("div", { class: "show-numbers small" });
    this.words = el("p", { class: "mute show-small num", role: "status" });
    this.back = button("Back to the one in force", () => this.set(inForce.thresholds.reject));
    this.tiles = this.items.map((item) => new Trial(item));
    const empty = inForce.thresholds.reject === null ? "The threshold is out of date, so there is nothing to move. Set it again on Tune."
      : this.dots.length || this.items.length ? "" : "There is no score to show.";
    this.element = el("section", { class: "show-sweep", "aria-label": this.title },
      ...(empty ? [el("p", { class: "show-empty", text: empty })] : [this.numbers, this.stage,
        el("div", { class: "show-wall" }, ...this.tiles.map(({ element }) => element)),
        el("div", { class: "show-controls" }, this.words, this.back)]));
    this.isEmpty = Boolean(empty);
    const scores = [...this.dots, ...this.items].map(({ score }) => score);
    const reject = inForce.thresholds.reject ?? 1;
    const [low, high] = [Math.min(reject, ...scores), Math.max(reject, ...scores)];
    const margin = 0.06 * (high - low || 1);
    this.range = { low: Math.max(0, low - margin), high: high + margin };
    this.draw = perFrame(() => this.paint());
    this.stage.addEventListener("pointerdown", (event) => this.grab(event));
  }

  enter() {
    if (this.isEmpty) return;
    this.by = this.inForce;
    this.fed();
  }

  fed() {
    if (this.isEmpty) return;
    const lacking = this.items.map(({ key }) => key).filter((key) => !this.wants.have.tiles.has(key) && !this.wants.lacks[key]);
    if (lacking.length) this.wants.want([{ what: "tiles", keys: lacking }]);
    this.loader.want(this.items.map(({ key }) => this.wants.have.tiles.get(key)).filter(Boolean));
    this.draw();
  }

  leave() {
    this.draw.cancel();
  }

  sized() {
    this.draw();
  }

  key({ key, shiftKey }) {
    if (this.isEmpty) return false;
    const turn = { ArrowUp: 1, ArrowDown: -1 }[key];
    if (turn) this.set(this.by.thresholds.reject + (turn * (shiftKey ? 10 : 1) * (this.range.high - this.range.low)) / STEPS);
    else if (key === "0") this.set(this.inForce.thresholds.reject);
    else return false;
    return true;
  }

  set(reject) {
    const { low, high } = this.range;
    const bounded = Math.min(high, Math.max(low, reject));
    this.by = bounded === this.inForce.thresholds.reject ? this.inForce : moved(this.inForce, this.pixel, bounded);
    this.draw();
  }

  grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const { left, width } = this.stage.getBoundingClientRect();
    const { low, high } = this.range;
    const drag = ({ clientX }) => this.set(low + ((clientX - left) / width) * (high - low));
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener("pointermove", drag);
    this.stage.addEventListener("lostpointercapture", () => this.stage.removeEventListener("pointermove", drag), { once: true });
    drag(event);
  }

  paint() {
    const began = performance.now();
    this.axis();
    this.say();
    const painting = paintingFor(this.by);
    this.tiles.forEach((tile) => {
      const url = this.wants.have.tiles.get(tile.item.key);
      tile.show(url ? this.loader.get(url) : null, this.by, painting);
    });
    this.element.dataset.paint = (performance.now() - began).toFixed(2);
  }

  say() {
    const rates = ratesOf(this.known, this.by, this.by === this.inForce);
    const said = JSON.stringify(rates);
    const { reject } = this.by.thresholds;
    const own = this.inForce.thresholds.reject;
    this.words.textContent = this.by === this.inForce ? `The threshold in force, ${digits(own, this.range.high)}`
      : `On trial: ${digits(reject, this.range.high)}. In force: ${digits(own, this.range.high)}; nothing is changed from here.`;
    this.back.hidden = this.by === this.inForce;
    if (said === this.said) return;
    this.said = said;
    this.numbers.replaceChildren(
      bigNumber("Escapes", "of 1,000 defective parts", rates.escapes, "defects", this.known.missing),
      bigNumber("False rejects", "of 1,000 good parts", rates.falseRejects, "good parts", ""));
  }

  axis() {
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (!width) return;
    const sharp = window.devicePixelRatio || 1;
    const size = [Math.round(width * sharp), Math.round(height * sharp)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    const context = this.canvas.getContext("2d");
    const { low, high } = this.range;
    const scale = Math.max(1, height / 90);
    context.setTransform(sharp * scale, 0, 0, sharp * scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const [wide, floor] = [width / scale, height / scale - 2];
    const colours = this.colours();
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(0, floor);
    context.lineTo(wide, floor);
    context.stroke();
    const stacks = new Map();
    for (const item of this.dots) {
      const x = ((item.score - low) / (high - low)) * wide;
      const bin = Math.round(x / 8);
      const level = stacks.get(bin) ?? 0;
      stacks.set(bin, level + 1);
      drawMark(context, item, x, Math.max(22, floor - 8 - level * 8), colours[judge(item, this.by)]);
    }
    const place = (100 * (this.by.thresholds.reject - low)) / (high - low);
    this.line.style.left = `${place}%`;
    this.line.classList.toggle("turned", place > 80);
    this.line.firstChild.textContent = `threshold ${digits(this.by.thresholds.reject, high)}`;
    for (const [name, value] of [["valuemin", low], ["valuemax", high], ["valuenow", this.by.thresholds.reject]]) {
      this.line.setAttribute(`aria-${name}`, Number(value.toPrecision(5)));
    }
  }

  colours() {
    const { scheme } = this.root.dataset;
    if (this.palette?.scheme !== scheme) {
      this.palette = { scheme };
      for (const name of ["accept", "review", "reject", "line"]) this.palette[name] = themeColour(this.root, `--${name}`);
    }
    return this.palette;
  }
}

// Parts from the lowest score to the highest, evenly among their ranks.
function spread(parts) {
  const rising = [...parts].sort((one, other) => one.score - other.score);
  if (rising.length <= PICTURES) return rising;
  return Array.from({ length: PICTURES }, (_, at) => rising[Math.round((at * (rising.length - 1)) / (PICTURES - 1))]);
}

// A picture on the wall that follows the threshold on trial.
class Trial {
  constructor(item) {
    this.item = item;
    this.canvas = el("canvas", { width: 8, height: 8, "aria-hidden": "true" });
    this.sign = el("span", { class: "sign" });
    this.element = el("div", { class: "show-passing past" }, el("div", { class: "hold" }, this.canvas), el("div", { class: "cap" }, this.sign));
  }

  show(picture, by, painting) {
    const verdict = judge(this.item, by);
    if (verdict !== this.verdict) {
      this.verdict = verdict;
      this.element.dataset.verdict = verdict;
      const error = errorOf(this.item.kind, verdict);
      this.element.classList.toggle("wrong", Boolean(error));
      this.element.title = `${this.item.name}: ${VERDICTS[verdict].word}`;
      this.sign.className = `sign ${verdict}`;
      this.sign.textContent = error ? `${VERDICTS[verdict].sign} ${error}` : VERDICTS[verdict].sign;
    }
    if (!picture || (picture === this.picture && painting.scale?.threshold === this.threshold)) return;
    [this.picture, this.threshold] = [picture, painting.scale?.threshold];
    if (this.canvas.width !== picture.width) this.canvas.width = picture.width;
    if (this.canvas.height !== picture.height) this.canvas.height = picture.height;
    const context = this.canvas.getContext("2d");
    context.putImageData(paintPicture(picture, painting), 0, 0);
    if (painting.scale) framePlace(context, this.item, by, picture, painting.scale.threshold);
  }
}
