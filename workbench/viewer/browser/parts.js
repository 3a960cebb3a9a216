// Parts one after another: the slider, the verdict in large, and the reason beside the closest good part.

import { closeView } from "./closeup.js";
import { digits, el } from "./dom.js";
import { decidedPlace, showsHeat } from "./place.js";
import { decodePicture, fetchBytes } from "./pictures.js";
import { Slider } from "./slider.js";
import { errorOf, judge, judgePatches, VERDICTS } from "./verdict.js";

const QUIET = "The map hardly rises above the threshold; the frame shows the place that decided.";
const DECODED = 6; // pictures as large as a screen

export class PartsScene {
  name = "parts";
  title = "Parts, one after another";
  hint = "→ next part · ↑ ↓ photograph to heat";

  constructor({ contents, parts, inForce, wants, tell }) {
    Object.assign(this, { parts, inForce, wants, tell });
    this.told = contents.telling.map((key) => parts.get(key)).filter(Boolean);
    this.decoded = new Map();
    this.at = 0;
    this.slider = new Slider();
    this.verdict = el("p", { class: "show-verdict", role: "status" });
    this.wrong = el("p", { class: "show-wrong reject", hidden: true });
    this.truth = el("p", { class: "show-truth" });
    this.why = el("p", { class: "show-why" });
    this.pair = el("div", { class: "show-pair" });
    this.count = el("p", { class: "mute show-small num" });
    this.words = el("div", { class: "show-words" }, this.verdict, this.wrong, this.why, this.pair, this.truth, this.count);
    this.element = el("section", { class: "show-parts", "aria-label": this.title },
      ...(this.told.length ? [this.slider.element, this.words] : [el("p", { class: "show-empty", text: contents.notices[0] ?? "There is no part to show." })]));
  }

  get part() {
    return this.told[this.at]?.key ?? "";
  }

  enter({ part, back, linked }) {
    const found = this.told.findIndex(({ key }) => key === part);
    this.at = found >= 0 ? found : back ? this.told.length - 1 : 0;
    this.show(!linked);
  }

  leave() {
    this.slider.stop();
  }

  forward() {
    return this.turn(1);
  }

  backward() {
    return this.turn(-1);
  }

  key(event) {
    return this.slider.key(event);
  }

  turn(by) {
    const next = this.at + by;
    if (next < 0 || next >= this.told.length) return false;
    this.at = next;
    this.show(true);
    this.tell(this.part);
    return true;
  }

  show(sweep) {
    const item = this.told[this.at];
    if (!item) return;
    this.sweeps = sweep;
    this.pictured = this.reasoned = null;
    this.slider.wait();
    const verdict = judge(item, this.inForce);
    const { word, sign } = VERDICTS[verdict];
    this.verdict.replaceChildren(el("i", { text: sign, "aria-hidden": "true" }), word[0].toUpperCase() + word.slice(1));
    const error = errorOf(item.kind, verdict);
    this.verdict.className = `show-verdict ${verdict}${error ? " wrong" : ""}`;
    this.wrong.hidden = !error;
    this.wrong.textContent = error === "escape" ? "Wrong: the part is defective. This is an escape."
      : error ? "Wrong: the part is good. This is a false reject." : "";
    this.truth.textContent = item.truth ? `Truth: ${item.truth}` : "";
    this.truth.hidden = !item.truth;
    this.why.textContent = this.sentence(item);
    this.pair.replaceChildren();
    this.count.textContent = `${item.name}, part ${this.at + 1} of ${this.told.length}`;
    this.fed();
  }

  // One sentence: what the inspector finds here, without the good part's name, which stands below its picture.
  sentence(item) {
    const { reject } = this.inForce.thresholds;
    if (reject === null) return "The threshold is out of date, so this part has no verdict.";
    const own = judgePatches(item, this.inForce);
    if (own === "accept") return item.doubts?.length && this.inForce.pictureCheck ? item.doubts[0] : "Every place looks like a good part.";
    return "Nothing like this place was in any good part.";
  }

  // Takes what has arrived, and asks for what is lacking: this part, its reason, the next part, the one before.
  fed() {
    const item = this.told[this.at];
    if (!item) return;
    const { pictures, reasons } = this.wants.have;
    if (pictures.has(item.key) && this.pictured !== item.key) this.picture(item, pictures.get(item.key));
    if (reasons.has(item.key) && this.reasoned !== item.key) this.reason(item, reasons.get(item.key));
    const [next, before] = [this.told[this.at + 1], this.told[this.at - 1]];
    this.wants.want([["pictures", item], ["pictures", next], ["reasons", item], ["reasons", next], ["pictures", before]]
      .filter(([, one]) => one).map(([what, one]) => ({ what, keys: [one.key] })));
  }

  async picture(item, url) {
    this.pictured = item.key;
    const lack = this.wants.lacks[item.key] ?? "";
    if (!url) return this.slider.show(null, null, null, lack || "The photograph is not here.");
    if (!this.decoded.has(url)) {
      this.decoded.set(url, fetchBytes(url).then(decodePicture));
      for (const old of [...this.decoded.keys()].slice(0, -DECODED)) this.decoded.delete(old);
    }
    let picture;
    try {
      picture = await this.decoded.get(url);
    } catch {
      return this.slider.show(null, null, null, "The photograph could not be loaded. Turn back to try again.");
    }
    if (this.told[this.at] !== item) return; // overtaken
    const place = decidedPlace(item, this.inForce);
    const quiet = place && picture.map && !showsHeat(picture.map, this.inForce.pixelThreshold);
    this.slider.show(picture, this.inForce.pixelThreshold, place, picture.map ? quiet ? QUIET : "" : lack);
    if (this.sweeps) this.slider.sweep();
    else this.slider.move(this.slider.rest);
    this.element.dataset.shown = item.key;
  }

  reason(item, { lack, name, distance, test, neighbour }) {
    this.reasoned = item.key;
    if (lack) return this.pair.replaceChildren(el("p", { class: "mute show-small", text: lack }));
    this.pair.replaceChildren(closeView("This part", test), closeView(`Closest good part: ${name} (distance ${digits(distance)})`, neighbour));
  }

  sized() {
    this.slider.fit();
  }
}
