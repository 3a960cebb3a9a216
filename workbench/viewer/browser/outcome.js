// The effect of the thresholds on the labelled parts: counts as pictures of parts, rates with intervals, and changes
// against the thresholds in use. Follows a drag within the frame.

import { el, perFrame } from "./dom.js";
import { fetchJson } from "./pictures.js";
import { storeFor } from "./store.js";
import { judge, VERDICTS } from "./verdict.js";

const PARTS_SHOWN = 160; // beyond that, each square stands for several
const NAMES_SHOWN = 4;
const ORDER = ["accept", "review", "reject"];

export class OutcomeViewer {
  constructor(root, data) {
    this.store = storeFor(data.link);
    this.items = []; // the labelled images that the rates count
    this.others = []; // further scored images, whose verdicts may change too
    this.good = new Kind("Good parts", "false rejects", "reject");
    this.defect = new Kind("Defects", "escapes", "accept");
    this.types = el("div", { class: "types num mute" });
    this.changes = el("div", { class: "changes num", role: "status" });
    this.root = root;
    root.append(el("section", { class: "panel outcome", "aria-label": "Effect of the thresholds" },
      this.good.element, this.defect.element, this.types,
      el("div", {}, el("h3", { text: "Against the thresholds in use" }), this.changes)));
    this.refresh = perFrame(() => this.show());
    this.unsubscribe = this.store.subscribe((changes) => {
      if (["thresholds", "pixel", "judgeBy", "pictureCheck"].some((name) => name in changes)) this.refresh();
    });
  }

  async update(data) {
    this.store.adopt(data.given);
    this.data = data;
    if (data.itemsUrl !== this.itemsUrl) {
      this.itemsUrl = data.itemsUrl;
      const known = await fetchJson(data.itemsUrl);
      if (data.itemsUrl !== this.itemsUrl) return; // overtaken by a later run
      Object.assign(this, known);
    }
    this.show();
  }

  show() {
    const { store } = this;
    if (!this.intervals) return;
    const good = this.items.filter(({ kind }) => kind === "good" || kind === "reference");
    const defects = this.items.filter(({ kind }) => kind === "defect");
    this.good.show(good.map((item) => judge(item, store)), this.intervals.good);
    this.defect.show(defects.map((item) => judge(item, store)), this.intervals.defect);
    this.showTypes(defects);
    this.showChanges();
    this.root.dataset.ready = this.itemsUrl;
  }

  // The escapes of each type, as the rate above counts them.
  showTypes(defects) {
    const types = new Map();
    for (const item of defects) {
      const type = types.get(item.group ?? "defect") ?? { missed: 0, all: 0 };
      type.all++;
      type.missed += judge(item, this.store) === "accept";
      types.set(item.group ?? "defect", type);
    }
    this.types.hidden = types.size < 2;
    this.types.replaceChildren("Escapes: ", ...[...types].sort().map(([name, { missed, all }]) =>
      el("span", { class: missed ? "missed" : null, title: `${missed} of ${all} are accepted` }, `${name} `,
        el("b", { text: `${missed} of ${all}` }))));
  }

  showChanges() {
    const { stored } = this.data;
    const { judgeBy, pictureCheck } = stored;
    const before = { thresholds: stored, judgeBy, pictureCheck, pixelThreshold: stored.pixel ?? stored.review ?? stored.reject };
    const moved = new Map();
    const scored = [...this.items, ...this.others];
    for (const item of scored) {
      const [was, is] = [judge(item, before), judge(item, this.store)];
      if (was === is) continue;
      const turn = `${was} → ${is}`;
      moved.set(turn, [...(moved.get(turn) ?? []), item.name]);
    }
    this.changes.replaceChildren(...[...moved].map(([turn, names]) =>
      el("p", { title: names.join("\n") }, el("b", { text: `${names.length} ${names.length === 1 ? "image" : "images"}: ${turn} ` }),
        el("span", { class: "mute", text: listed(names) }))));
    const on = scored.length === 1 ? "the one scored image" : `all ${scored.length} scored images, labelled or not`;
    if (!moved.size) this.changes.append(el("p", { class: "mute", text: `no verdict changes on ${on}` }));
  }

  destroy() {
    this.unsubscribe();
    this.refresh.cancel();
  }
}

// The parts of one kind: a square each, and how many of them come out wrong.
class Kind {
  constructor(title, fault, wrong) {
    Object.assign(this, { fault, wrong });
    this.title = el("h3", { text: title });
    this.parts = el("div", { class: "parts", role: "img" });
    this.rate = el("p", { class: "num" });
    this.element = el("div", { class: "kind" }, this.title, this.parts, this.rate);
  }

  show(verdicts, intervals) {
    const counts = Object.fromEntries(ORDER.map((name) => [name, verdicts.filter((verdict) => verdict === name).length]));
    const all = verdicts.length;
    const said = `${all}: ${ORDER.map((name) => counts[name]).join()} ${Boolean(intervals)}`;
    if (said === this.said) return;
    this.said = said;
    this.parts.hidden = !all;
    if (!all) return this.rate.replaceChildren(el("span", { class: "mute", text: "no labels yet: label some images" }));
    this.parts.replaceChildren(...pictures(counts, all, this.wrong));
    this.parts.setAttribute("aria-label", ORDER.map((name) => `${counts[name]} ${name}`).join(", "));
    const wrong = counts[this.wrong];
    this.rate.replaceChildren(
      el("b", { class: wrong ? this.wrong === "reject" ? "reject" : "escape" : null, text: `${wrong} of ${all} ${this.fault}` }),
      ...intervals ? rate(wrong, all, intervals[wrong]) : [],
      counts.review ? el("div", { class: "review", text: `${VERDICTS.review.sign} ${counts.review} to review${intervals ? `, ${percent(counts.review / all)}` : ""}` }) : "");
  }
}

// A share with its interval; labels that are no sample of the parts have neither.
function rate(wrong, all, [low, high]) {
  return [`, ${percent(wrong / all)} `,
    el("span", { class: "mute", title: "Clopper-Pearson interval, 95 %: where the rate on the line may lie, were these parts drawn from it",
      text: `(${percent(low)} to ${percent(high)})` })];
}

function pictures(counts, all, wrong) {
  const each = Math.ceil(all / PARTS_SHOWN);
  return ORDER.flatMap((name) => [...Array(Math.ceil(counts[name] / each))].map(() =>
    el("i", { class: name === wrong ? `${name} wrong` : name, text: VERDICTS[name].sign, title: each > 1 ? `${name}; each square is ${each} parts` : name })));
}

function percent(rate) {
  const value = 100 * rate;
  return `${value.toFixed(value === 0 || value >= 10 ? 0 : 1)} %`;
}

function listed(names) {
  const more = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
