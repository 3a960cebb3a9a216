// The page Show: scenes over the whole window, turned by keyboard, clicker or mouse. The server is asked for pictures
// and reasons alone; slider, replay, threshold and money need none.

import { el, typing } from "./dom.js";
import { FiguresScene } from "./figures.js";
import { LimitsScene, ReportScene } from "./closing.js";
import { OpeningScene } from "./opening.js";
import { PartsScene } from "./parts.js";
import { fetchJson } from "./pictures.js";
import { ReplayScene } from "./replay.js";
import { SweepScene } from "./sweep.js";
import { Wants } from "./wants.js";

const SCENES = [OpeningScene, PartsScene, ReplayScene, FiguresScene, SweepScene, LimitsScene, ReportScene];
const STILL = 3000; // ms without the mouse, after which the pointer goes
const FORWARD = ["ArrowRight", "PageDown"];
const BACK = ["ArrowLeft", "PageUp"];

export class ShowViewer {
  constructor(root, data, send) {
    this.root = root;
    this.send = send;
    this.wants = new Wants((need) => send.event("need", need));
    this.stage = el("div", { class: "show-stage" });
    this.title = el("span", { class: "show-title" });
    this.marks = el("nav", { class: "show-marks", "aria-label": "Scenes" });
    this.hint = el("span", { class: "show-hint" });
    this.notice = el("div", { class: "show-notice", role: "status", hidden: true });
    this.leave = el("button", { type: "button", class: "show-leave", text: "Leave", title: "Esc", onclick: () => this.end() });
    root.append(this.stage, this.notice,
      el("footer", { class: "show-foot" }, this.title, this.marks, el("span", { class: "show-end" }, this.hint, this.leave)));
    this.pressed = (event) => this.key(event);
    this.sized = () => this.scene?.sized?.();
    this.moved = () => this.pointer();
    window.addEventListener("keydown", this.pressed, true);
    window.addEventListener("resize", this.sized);
    root.addEventListener("pointermove", this.moved);
  }

  async update(data) {
    this.data = data;
    this.wants.arrived(data.material);
    if (data.contentsUrl === this.contentsUrl) return this.scene?.fed?.();
    const first = this.contentsUrl === undefined;
    this.contentsUrl = data.contentsUrl;
    const contents = await fetchJson(data.contentsUrl);
    if (data.contentsUrl !== this.contentsUrl) return; // overtaken by a later run
    this.contents = contents;
    this.wants.about(contents.batch);
    this.build();
    const kept = first ? null : this.scene;
    this.go(kept ? SCENES.indexOf(kept.constructor) : Math.max(0, this.scenes.findIndex(({ name }) => name === data.scene)),
      { part: kept ? kept.part ?? "" : data.part, linked: first && Boolean(data.part) });
    this.say(contents.notices.join(" "));
  }

  // What all scenes share: the parts, the thresholds in force, and a trial that only this page knows.
  build() {
    const { thresholds } = this.data;
    const inForce = { thresholds: { reject: thresholds.reject, review: thresholds.review }, judgeBy: thresholds.judgeBy,
      pictureCheck: thresholds.pictureCheck, minArea: thresholds.minArea,
      pixelThreshold: thresholds.pixel ?? thresholds.review ?? thresholds.reject };
    const shared = { contents: this.contents, inForce, pixel: thresholds.pixel, wants: this.wants, root: this.root,
      parts: new Map(this.contents.parts.map((part) => [part.key, part])),
      tell: (part) => this.address(part), hint: (text) => (this.hint.textContent = text), send: this.send };
    this.scene?.leave?.();
    this.scenes = SCENES.map((Scene) => new Scene(shared));
    this.title.textContent = this.contents.title;
    this.marks.replaceChildren(...this.scenes.map((scene, at) =>
      el("button", { type: "button", "aria-label": scene.title, title: scene.title, onclick: () => this.go(at) })));
  }

  go(at, { part = "", back = false, linked = false } = {}) {
    if (this.scene) this.scene.leave?.();
    this.at = Math.min(Math.max(at, 0), this.scenes.length - 1);
    this.scene = this.scenes[this.at];
    this.stage.replaceChildren(this.scene.element);
    this.root.dataset.scene = this.scene.name;
    [...this.marks.children].forEach((mark, place) => mark.setAttribute("aria-current", place === this.at ? "step" : "false"));
    this.hint.textContent = this.scene.hint ?? "";
    this.say("");
    this.scene.enter({ part, back, linked });
    this.address(this.scene.part ?? "");
    this.pointer();
  }

  step(forward) {
    if (forward ? this.scene.forward?.() : this.scene.backward?.()) return;
    const next = this.at + (forward ? 1 : -1);
    if (next >= 0 && next < this.scenes.length) this.go(next, { back: !forward });
  }

  key(event) {
    if (!this.scene || !this.root.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Escape" && typing(event)) return;
    if (event.key === "Tab") this.pointer(); // what the focus goes to must be seen
    if (!this.turned(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  turned(event) {
    const origin = event.composedPath()[0];
    const focused = origin instanceof HTMLElement && origin.closest("button, a, select, input");
    if (this.scene.key?.(event)) return true;
    if (event.key === "Escape") return this.end(), true;
    if (focused && (event.key === "Enter" || (event.key === " " && origin.closest("button, a")))) return false;
    if (origin instanceof HTMLSelectElement) return false;
    if (FORWARD.includes(event.key) || (event.key === " " && !event.shiftKey)) this.step(true);
    else if (BACK.includes(event.key) || event.key === " ") this.step(false);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.scenes.length - 1);
    else if (event.key === "f" || event.key === "F") this.fill();
    else return false;
    return true;
  }

  end() {
    this.say("Leaving");
    this.send.event("leave", true);
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => this.say("This browser does not go to full screen by itself; use its own key."));
  }

  // Keeps the place in the page's address, so that a reload or a copied link finds it; no run of the page is asked for.
  address(part) {
    const here = new URL(location.href);
    const wanted = { scene: this.scene.name, part };
    for (const [name, value] of Object.entries(wanted)) {
      if (value) here.searchParams.set(name, value);
      else here.searchParams.delete(name);
    }
    if (here.href !== location.href) history.replaceState(history.state, "", here);
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  pointer() {
    this.root.classList.remove("still");
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.root.classList.add("still"), STILL);
  }

  destroy() {
    this.scene?.leave?.();
    clearTimeout(this.resting);
    this.wants.destroy();
    window.removeEventListener("keydown", this.pressed, true);
    window.removeEventListener("resize", this.sized);
  }
}
