// Two large numbers, escapes and false rejects among 1,000 parts, each with its interval; in money where costs are given.

import { button, el } from "./dom.js";
import { COSTS, costsOf, moneyWords, monthOf, readNumber, storeCosts } from "./costs.js";
import { perThousand, ratesOf } from "./judging.js";

export class FiguresScene {
  name = "figures";
  title = "Escapes and false rejects";
  hint = "M: costs · → on";

  constructor({ contents, inForce }) {
    Object.assign(this, { contents, inForce });
    this.money = el("div", { class: "show-money", role: "status" });
    this.form = el("form", { class: "show-costs panel", hidden: true, onsubmit: (event) => this.take(event) });
    this.open = button("Costs", () => this.toggle(), { "aria-expanded": "false" });
    const rates = ratesOf(contents.known, inForce, true);
    const { known } = contents;
    this.element = el("section", { class: "show-figures", "aria-label": this.title },
      el("div", { class: "show-numbers" },
        bigNumber("Escapes", "of 1,000 defective parts are accepted", rates.escapes, "defects", inForce.thresholds.reject === null ? "" : known.missing),
        bigNumber("False rejects", "of 1,000 good parts are rejected", rates.falseRejects, "good parts", "")),
      el("p", { class: "mute show-small", text: this.source(known) }), this.money,
      el("div", { class: "show-controls" }, this.open), this.form);
  }

  enter() {
    this.costs = costsOf(new URL(location.href));
    this.showMoney();
  }

  leave() {
    this.form.hidden = true;
  }

  key(event) {
    if (event.key === "Escape" && !this.form.hidden) this.toggle();
    else if ((event.key === "m" || event.key === "M") && this.form.hidden) this.toggle();
    else return false;
    return true;
  }

  source({ source, noInterval }) {
    const stale = this.inForce.thresholds.reject === null ? " The threshold is out of date, so nothing is judged. Set it again on Tune." : "";
    return `Measured on ${source}. ${noInterval}${stale}`.trim();
  }

  toggle() {
    this.form.hidden = !this.form.hidden;
    this.open.setAttribute("aria-expanded", String(!this.form.hidden));
    if (this.form.hidden) return this.open.focus();
    this.fields = COSTS.map(({ name, label, text }) =>
      el("input", { type: "text", name, inputmode: text ? "text" : "decimal", autocomplete: "off", "aria-label": label, value: this.costs?.[name] ?? (text ? "EUR" : "") }));
    this.fault = el("p", { class: "reject", role: "alert", hidden: true });
    this.form.replaceChildren(...COSTS.map(({ label }, at) => el("label", {}, el("span", { text: label }), this.fields[at])), this.fault,
      el("div", { class: "toolbar" }, el("button", { type: "submit", class: "btn", text: "Show the money" }),
        button("Without costs", () => this.put(null))));
    this.fields[0].focus();
  }

  // A decimal comma counts as a point; what is no number is named, and nothing is changed.
  take(event) {
    event.preventDefault();
    const found = {};
    for (const [at, { name, label, text, most }] of COSTS.entries()) {
      const typed = this.fields[at].value.trim();
      const value = text ? typed.slice(0, 8) : readNumber(typed);
      if (!text && (value === null || value < 0 || value > most)) {
        this.fault.textContent = `${label}: ${typed ? `"${typed}"` : "nothing"} is not a number from 0 to ${most.toLocaleString("en")}.`;
        this.fault.hidden = false;
        this.fields[at].focus();
        return;
      }
      found[name] = value;
    }
    this.put(found);
  }

  put(costs) {
    this.costs = costs;
    storeCosts(costs);
    this.form.hidden = true;
    this.open.setAttribute("aria-expanded", "false");
    this.open.focus();
    this.showMoney();
  }

  showMoney() {
    const rates = ratesOf(this.contents.known, this.inForce, true);
    this.money.replaceChildren(...moneyWords(this.costs, this.costs && monthOf(this.costs, rates)));
  }
}

// A figure with its title and interval; where it is not known, the reason.
export function bigNumber(title, unit, { counted, rate, interval, events, trials, review, lack, isWeighted }, noun, missing, known = true) {
  const element = el("div", { class: "show-number" }, el("h2", { text: title }));
  if (counted && rate === null) {
    element.append(el("b", { class: "num", text: `${events.toLocaleString("en")} of ${trials.toLocaleString("en")}` }),
      el("p", { class: "unit", text: `labelled ${noun}` }), el("p", { class: "range", text: lack }));
    return element;
  }
  if (rate === null) {
    element.append(el("b", { class: "mute", text: "?" }), el("p", { class: "show-missing", text: missing || (known ? "Nothing is judged." : "") }));
    return element;
  }
  const range = `between ${perThousand(interval[0])} and ${perThousand(interval[1])}, with 95 % confidence`;
  const people = review ? `; ${review.toLocaleString("en")} ${review === 1 ? "goes" : "go"} to a person` : "";
  element.append(el("b", { class: "num", text: perThousand(rate) }), el("p", { class: "unit", text: unit }),
    el("p", { class: "range num", text: range }),
    el("p", { class: "mute show-small num", text: `${events.toLocaleString("en")} of ${trials.toLocaleString("en")} ${isWeighted ? `labelled ${noun}, weighted by the draw` : noun}${people}` }));
  return element;
}
