// A batch replayed as it came: each part appears with its verdict, the counts run, at a chosen pace.

import { button, el, segments } from "./dom.js";
import { PictureLoader } from "./loader.js";
import { paintingFor } from "./judging.js";
import { framePlace } from "./place.js";
import { paintPicture } from "./tile.js";
import { errorOf, judge, VERDICTS } from "./verdict.js";

const PACES = [0.5, 1, 2, 5, 10]; // parts a second
const AHEAD = 24; // tiles that are asked for at once
const SHOWN = 18; // parts that have passed and stay in sight

export class ReplayScene {
  name = "replay";
  title = "Replay";
  hint = "Space: start, pause · ↑ ↓ pace · → on";

  constructor({ contents, parts, inForce, wants, tell }) {
    Object.assign(this, { inForce, wants, tell });
    this.items = contents.parts;
    this.mixed = contents.mixed;
    this.verdicts = this.items.map((item) => judge(item, inForce));
    this.done = 0;
    this.pace = 1;
    this.loader = new PictureLoader(() => this.repaint());
    this.counts = Object.fromEntries(["accept", "review", "reject"].map((name) => [name, el("b", { class: "num", text: "0" })]));
    this.tally = el("div", { class: "show-tally" }, ...Object.entries(this.counts).map(([name, number]) =>
      el("div", { class: name }, number, el("span", { text: `${VERDICTS[name].sign} ${name}` }))));
    this.progress = el("p", { class: "mute show-small num", role: "status" });
    this.now = new Passing("now");
    this.past = Array.from({ length: SHOWN }, () => new Passing("past"));
    this.play = button("Start", () => this.toggle());
    this.paces = segments("Pace, parts a second", PACES.map((value, at) => ({ value: String(at), text: `${value}` })), String(this.pace), (at) => this.setPace(Number(at)));
    this.element = el("section", { class: "show-replay", "aria-label": this.title },
      ...(this.items.length ? [this.tally,
        el("div", { class: "show-belt" }, this.now.element, el("div", { class: "show-past" }, ...this.past.map(({ element }) => element))),
        el("div", { class: "show-controls" }, this.play, this.paces, el("span", { class: "mute", text: "parts a second" }), this.progress)]
        : [el("p", { class: "show-empty", text: contents.notices[0] ?? "There is no part to replay." })]));
  }

  get part() {
    return this.done ? this.items[this.done - 1].key : "";
  }

  // By a link the replay waits where it was; otherwise it begins by itself.
  enter({ part, back, linked }) {
    const found = this.items.findIndex(({ key }) => key === part);
    this.done = linked && found >= 0 ? found + 1 : back ? this.items.length : 0;
    this.show();
    if (!linked && !back && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.start();
  }

  leave() {
    this.pause();
  }

  key({ key }) {
    if (key === " ") this.toggle();
    else if (key === "ArrowUp" || key === "ArrowDown") {
      this.setPace(Math.min(PACES.length - 1, Math.max(0, this.pace + (key === "ArrowUp" ? 1 : -1))));
      this.paces.show(String(this.pace));
    } else return false;
    return true;
  }

  toggle() {
    if (this.timer) return this.pause();
    if (this.done >= this.items.length) this.done = 0;
    this.start();
  }

  setPace(at) {
    this.pace = at;
    if (this.timer) {
      this.pause();
      this.start();
    }
  }

  start() {
    if (this.timer || !this.items.length) return;
    this.play.textContent = "Pause";
    this.timer = setInterval(() => this.next(), 1000 / PACES[this.pace]);
    this.element.dataset.playing = "yes";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = this.done >= this.items.length ? "Again" : "Start";
    this.element.dataset.playing = "no";
    if (this.element.isConnected) this.tell(this.part);
  }

  next() {
    if (this.done < this.items.length) this.done++;
    this.show();
    if (this.done >= this.items.length) this.pause();
  }

  show() {
    const passed = this.items.slice(0, this.done);
    for (const [name, number] of Object.entries(this.counts)) {
      number.textContent = this.verdicts.slice(0, this.done).filter((verdict) => verdict === name).length.toLocaleString("en");
    }
    this.progress.textContent = `${this.done.toLocaleString("en")} of ${this.items.length.toLocaleString("en")} parts${this.mixed ? ", in mixed order" : ""}`;
    this.now.put(passed.at(-1), this.verdicts[this.done - 1]);
    this.past.forEach((tile, at) => {
      const place = this.done - 2 - at;
      tile.put(place >= 0 ? this.items[place] : null, this.verdicts[place]);
    });
    this.fed();
  }

  fed() {
    const from = Math.max(0, this.done - SHOWN - 1);
    const near = this.items.slice(from, this.done + AHEAD);
    const lacking = near.filter(({ key }) => !this.wants.have.tiles.has(key) && !this.wants.lacks[key]).map(({ key }) => key);
    if (lacking.length && (lacking.length > AHEAD / 2 || this.done + AHEAD >= this.items.length)) this.wants.want([{ what: "tiles", keys: lacking.slice(0, 2 * AHEAD) }]);
    this.loader.want(near.map(({ key }) => this.wants.have.tiles.get(key)).filter(Boolean));
    this.repaint();
  }

  repaint() {
    const painting = paintingFor(this.inForce);
    for (const tile of [this.now, ...this.past]) {
      const url = tile.item && this.wants.have.tiles.get(tile.item.key);
      tile.paint(url ? this.loader.get(url) : null, painting, this.inForce);
    }
  }
}

// A part that passes: its picture, framed in the verdict's colour, and the verdict in word and sign.
class Passing {
  constructor(look) {
    this.canvas = el("canvas", { width: 8, height: 8, "aria-hidden": "true" });
    this.sign = el("span", { class: "sign" });
    this.name = el("span", { class: "mute name" });
    this.element = el("div", { class: `show-passing ${look}` }, el("div", { class: "hold" }, this.canvas), el("div", { class: "cap" }, this.sign, look === "now" ? this.name : null));
    this.look = look;
  }

  put(item, verdict) {
    if (item === this.item && item) return;
    this.item = item ?? null;
    this.painted = null;
    this.element.classList.toggle("blank", !item);
    this.canvas.hidden = true;
    if (!item) return;
    const { word, sign } = VERDICTS[verdict];
    this.element.dataset.verdict = verdict;
    this.element.title = `${item.name}: ${word}`;
    const error = errorOf(item.kind, verdict);
    this.element.classList.toggle("wrong", Boolean(error));
    this.sign.className = `sign ${verdict}`;
    this.sign.textContent = this.look === "now" ? `${sign} ${word}` : sign;
    this.name.textContent = error ? `${item.name}: ${error}` : item.name;
    this.name.classList.toggle("reject", Boolean(error));
  }

  paint(picture, painting, by) {
    if (!picture || this.painted === picture) return;
    this.painted = picture;
    [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
    const context = this.canvas.getContext("2d");
    context.putImageData(paintPicture(picture, painting), 0, 0);
    if (painting.scale) framePlace(context, this.item, by, picture, painting.scale.threshold);
    this.canvas.hidden = false;
  }
}
