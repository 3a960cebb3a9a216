// Scores as dots stacked over an axis, on a canvas; finds the dot under the pointer.

import { digits } from "./dom.js";
import { themeColour } from "./theme.js";
import { drawDensity } from "./density.js";
import { drawMark } from "./marks.js";
import { errorOf, judge } from "./verdict.js";

const SIDE = 20;
const BELOW = 24; // pixels under the axis
const TOP = 24;
const BIN = 7;

export class DotPlot {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.context = this.canvas.getContext("2d");
    this.placed = [];
    this.width = 1;
    this.height = 108;
  }

  get axisAt() {
    return this.height - BELOW;
  }

  place(score, { low, high }) {
    return SIDE + ((score - low) / (high - low)) * (this.width - 2 * SIDE);
  }

  scoreAt(x, { low, high }) {
    return low + ((x - SIDE) / (this.width - 2 * SIDE)) * (high - low);
  }

  at(x, y) {
    let best = null;
    let nearest = 81;
    for (const dot of this.placed) {
      const away = (dot.x - x) ** 2 + (dot.y - y) ** 2;
      if (away < nearest) [best, nearest] = [dot.item, away];
    }
    return best;
  }

  paint(stage, items, range, store) {
    const width = stage.clientWidth;
    if (!width) return;
    const sharp = window.devicePixelRatio || 1;
    const height = stage.clientHeight;
    if (this.canvas.width !== Math.round(width * sharp) || this.canvas.height !== Math.round(height * sharp)) {
      this.canvas.width = Math.round(width * sharp);
      this.canvas.height = Math.round(height * sharp);
    }
    const root = stage.closest(".viewer");
    const colours = paletteOf(root);
    if (items !== this.items || width !== this.width || height !== this.height || range !== this.range) {
      [this.items, this.width, this.height, this.range] = [items, width, height, range];
      this.placed = this.stack(items, range);
    }
    const { context } = this;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.density) drawDensity(context, items, (score) => this.place(score, range), { top: TOP, bottom: this.axisAt, width }, colours);
    this.axis(range, colours);
    for (const { item, x, y } of this.placed) {
      const verdict = judge(item, store);
      drawMark(context, item, x, y, colours[errorOf(item.kind, verdict) ? "reject" : verdict]); // an escape is never green
    }
    const pointed = this.placed.find((dot) => dot.item.key === store.hover);
    if (pointed) ring(context, pointed, colours.ink);
  }

  // Dots of nearly the same score stand on each other; full stacks are pressed together.
  stack(items, range) {
    const bins = new Map();
    for (const item of items) {
      const x = this.place(item.score, range);
      const bin = Math.round(x / BIN);
      if (!bins.has(bin)) bins.set(bin, []);
      bins.get(bin).push({ item, x });
    }
    const dots = [];
    for (const stack of bins.values()) {
      const step = Math.min(8, (this.axisAt - TOP - 10) / Math.max(1, stack.length - 1));
      stack.forEach((dot, at) => dots.push({ ...dot, y: this.axisAt - 9 - at * step }));
    }
    return dots;
  }

  axis(range, colours) {
    const { context, axisAt } = this;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(SIDE, axisAt + 0.5);
    context.lineTo(this.width - SIDE, axisAt + 0.5);
    context.stroke();
    context.fillStyle = colours.mute;
    context.font = `12px ${colours.font}`;
    context.textAlign = "center";
    for (const score of ticks(range)) {
      const x = this.place(score, range);
      context.fillRect(x - 0.5, axisAt, 1, 4);
      context.fillText(digits(score, ticks(range)[1] - ticks(range)[0] >= 1 ? 100 : range.high), x, axisAt + 18);
    }
  }
}

function ticks({ low, high }) {
  const rough = (high - low) / 7;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const marks = [];
  for (let at = Math.ceil(low / step); at * step <= high + 1e-9; at++) marks.push(at * step);
  return marks.length > 1 ? marks : [low, high];
}

function ring(context, { x, y }, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 7, 0, 7);
  context.stroke();
}

const palettes = new WeakMap();

function paletteOf(root) {
  const scheme = `${root.dataset.scheme}${getComputedStyle(root).getPropertyValue("--st-primary-color")}`;
  if (palettes.get(root)?.scheme !== scheme) {
    const colours = { scheme, none: themeColour(root, "--mute"), font: getComputedStyle(root).fontFamily };
    for (const name of ["accept", "review", "reject", "line", "mute", "ink"]) colours[name] = themeColour(root, `--${name}`);
    palettes.set(root, colours);
  }
  return palettes.get(root);
}
