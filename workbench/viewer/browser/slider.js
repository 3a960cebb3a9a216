// A photograph and its heat under one line that moves: left of it the photograph, right of it the heat.

import { el, perFrame } from "./dom.js";
import { heatLayer, Scale } from "./heat.js";

const STEP = 0.05;
const SWEEP = 900; // ms of the first movement
const OPACITY = 0.72;
const MARGIN = 0.12; // of the picture's width, beyond which the line does not rest

export class Slider {
  constructor() {
    this.share = this.rest = 0.5;
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    this.knob = el("div", { class: "show-knob", role: "slider", tabindex: 0, "aria-label": "Photograph to heat",
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal" }, el("i", { text: "‹ ›", "aria-hidden": "true" }));
    this.left = el("span", { class: "show-side left", text: "photograph" });
    this.right = el("span", { class: "show-side right", text: "heat" });
    this.frame = el("div", { class: "show-frame" }, this.canvas, this.knob, this.left, this.right);
    this.lack = el("p", { class: "show-lack mute", hidden: true });
    this.element = el("div", { class: "show-picture" }, this.frame, this.lack);
    this.draw = perFrame(() => this.paint());
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.element);
    this.frame.addEventListener("pointerdown", (event) => this.grab(event));
  }

  // picture: { image, map, header } or null; box: the worst patch of a flagged part, in pixels of the original.
  show(picture, threshold, box, lack = "") {
    const fresh = picture !== this.picture;
    Object.assign(this, { picture, box, rest: restOf(picture, box) });
    this.lack.textContent = lack;
    this.lack.hidden = !lack;
    this.lack.classList.remove("waiting");
    this.frame.hidden = !picture;
    if (!picture) return;
    const hasHeat = Boolean(picture.map) && threshold !== null;
    this.knob.hidden = this.left.hidden = this.right.hidden = !hasHeat;
    if (fresh || threshold !== this.threshold) this.heat = hasHeat ? layerOf(picture.map, threshold) : null;
    this.threshold = threshold;
    this.fit();
  }

  wait() {
    this.show(null, null, null, "Loading the photograph");
    this.lack.classList.add("waiting");
  }

  // Lets the line come in from the right edge, so that everybody sees the heat appear; it rests across the worst place.
  sweep() {
    cancelAnimationFrame(this.running);
    if (!this.heat || matchMedia("(prefers-reduced-motion: reduce)").matches) return this.move(this.rest);
    const began = performance.now();
    const tick = (now) => {
      const done = Math.min(1, (now - began) / SWEEP);
      this.move(1 - (1 - this.rest) * (1 - (1 - done) ** 3), true);
      if (done < 1) this.running = requestAnimationFrame(tick);
    };
    this.running = requestAnimationFrame(tick);
  }

  move(share, moving = false) {
    if (!moving) cancelAnimationFrame(this.running);
    this.share = Math.min(1, Math.max(0, share));
    this.draw();
  }

  key({ key, shiftKey }) {
    const turn = { ArrowUp: STEP, ArrowDown: -STEP }[key];
    if (!turn || !this.heat) return false;
    this.move(this.share + turn * (shiftKey ? 5 : 1));
    return true;
  }

  grab(event) {
    if (event.button !== 0 || !this.heat) return;
    event.preventDefault();
    const { left, width } = this.frame.getBoundingClientRect();
    const drag = (moved) => this.move((moved.clientX - left) / width);
    this.frame.setPointerCapture(event.pointerId);
    this.frame.addEventListener("pointermove", drag);
    this.frame.addEventListener("lostpointercapture", () => this.frame.removeEventListener("pointermove", drag), { once: true });
    drag(event);
  }

  // The largest frame of the picture's own shape that fits: nothing of an upright or wide photograph is cut.
  fit() {
    if (!this.picture) return;
    const { width, height } = this.picture.image;
    const room = { width: this.element.clientWidth, height: this.element.clientHeight };
    const scale = Math.min(room.width / width, room.height / height);
    if (!(scale > 0)) return;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    this.frame.style.width = `${wide}px`;
    this.frame.style.height = `${high}px`;
    this.frame.classList.toggle("narrow", wide < 260);
    const sharp = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(wide * sharp), Math.round(high * sharp)];
    this.draw();
  }

  paint() {
    if (!this.picture) return;
    const began = performance.now();
    const { canvas, context, heat } = this;
    const { width, height } = canvas;
    const at = Math.round(this.share * width);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture.image, 0, 0, width, height);
    if (heat) {
      context.save();
      context.beginPath();
      context.rect(at, 0, width - at, height);
      context.clip();
      context.drawImage(heat, 0, 0, width, height);
      if (this.box) this.outline(width, height);
      context.restore();
    } else if (this.box) this.outline(width, height);
    this.knob.style.left = `${100 * this.share}%`;
    this.knob.setAttribute("aria-valuenow", Math.round(100 * this.share));
    this.element.dataset.paint = (performance.now() - began).toFixed(2);
  }

  outline(width, height) {
    const { original } = this.picture.header;
    const [x0, y0, x1, y1] = this.box;
    const [wide, high] = [width / original.width, height / original.height];
    const line = Math.max(2, Math.min(width, height) / 260);
    for (const [colour, stroke] of [["rgb(16 20 24 / .8)", 2.2 * line], ["#fff", line]]) {
      this.context.strokeStyle = colour;
      this.context.lineWidth = stroke;
      this.context.strokeRect(x0 * wide, y0 * high, (x1 - x0) * wide, (y1 - y0) * high);
    }
  }

  stop() {
    cancelAnimationFrame(this.running);
    this.draw.cancel();
  }
}

function restOf(picture, box) {
  if (!picture || !box) return 0.5;
  return Math.min(1 - MARGIN, Math.max(MARGIN, (box[0] + box[2]) / 2 / picture.header.original.width));
}

function layerOf(map, threshold) {
  const canvas = new OffscreenCanvas(map.width, map.height);
  canvas.getContext("2d").putImageData(new ImageData(heatLayer(map, Scale.anchored(threshold), OPACITY), map.width, map.height), 0, 0);
  return canvas;
}
