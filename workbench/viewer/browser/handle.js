// A threshold's line on the strip: dragged by mouse or finger, moved by keyboard, a slider to screen readers.

import { digits, el } from "./dom.js";

const KEY_PAUSE = 450; // after the last key, ms, a value counts as released

export class Handle {
  constructor(name, label, strip) {
    this.name = name;
    this.strip = strip;
    this.label = label;
    this.text = el("span", { class: "text num" });
    this.element = el("div", { class: `handle ${name}`, role: "slider", tabindex: 0, "aria-orientation": "horizontal",
      "aria-label": name === "reject" ? "Reject threshold" : "Review threshold" }, el("i"), this.text);
    this.element.addEventListener("pointerdown", (event) => this.grab(event));
    this.element.addEventListener("keydown", (event) => this.pressed(event));
    this.element.addEventListener("blur", () => this.settle());
  }

  destroy() {
    clearTimeout(this.pause);
  }

  show(value, x, { low, high }, width) {
    this.value = value;
    this.element.hidden = value === null;
    if (value === null) return;
    this.element.style.transform = `translateX(${x}px)`;
    this.element.classList.toggle("left", this.name === "review" ? x > 120 : x > width - 120);
    const shown = digits(value, high);
    this.text.textContent = `${this.label} ${shown}`;
    for (const [attribute, number] of [["valuemin", Math.max(0, low)], ["valuemax", high], ["valuenow", value]]) {
      this.element.setAttribute(`aria-${attribute}`, Number(number.toPrecision(6)));
    }
    this.element.setAttribute("aria-valuetext", `${this.label} ${shown}`);
  }

  // Puts the words a line lower where they would cover another handle's.
  giveWayTo(other) {
    this.element.classList.remove("lower");
    if (this.element.hidden || other.element.hidden) return;
    const [own, others] = [this.text, other.text].map((text) => text.getBoundingClientRect());
    this.element.classList.toggle("lower", own.left < others.right && others.left < own.right);
  }

  grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    const before = this.value;
    const shift = this.value - this.strip.scoreAt(event.clientX);
    const drag = (moved) => this.strip.move(this.name, this.strip.scoreAt(moved.clientX) + shift);
    const drop = () => {
      this.element.removeEventListener("pointermove", drag);
      this.element.removeEventListener("lostpointercapture", drop);
      this.element.classList.remove("held");
      if (this.strip.store.thresholds[this.name] !== before) this.strip.release();
    };
    this.element.classList.add("held");
    this.element.addEventListener("pointermove", drag);
    this.element.addEventListener("lostpointercapture", drop);
  }

  pressed(event) {
    const { low, high } = this.strip.range;
    const step = ((high - low) / 200) * (event.shiftKey ? 10 : 1);
    const moves = { ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step,
      PageUp: 10 * step, PageDown: -10 * step, Home: -Infinity, End: Infinity };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    this.strip.move(this.name, this.strip.store.thresholds[this.name] + moves[event.key]);
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.settle(), KEY_PAUSE);
  }

  settle() {
    if (!this.pause) return;
    clearTimeout(this.pause);
    this.pause = 0;
    this.strip.release();
  }
}
