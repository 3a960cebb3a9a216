// The last two scenes: the limits in one sentence, and the report.

import { el } from "./dom.js";
import { mediaUrl } from "./pictures.js";

export class LimitsScene {
  name = "limits";
  title = "Limits";
  hint = "→ on · Home: to the beginning";

  constructor({ contents }) {
    this.element = el("section", { class: "show-limits", "aria-label": this.title }, el("h2", { text: "What this cannot promise" }),
      el("p", { text: contents.limits }));
  }

  enter() {}
}

export class ReportScene {
  name = "report";
  title = "The report";
  hint = "Enter: make the report · Home: to the beginning · Esc: leave";

  constructor({ contents, wants }) {
    Object.assign(this, { wants });
    this.lack = contents.noReport;
    this.make = el("button", { type: "button", class: "show-action", text: "Make the report", onclick: () => this.ask() });
    this.link = el("a", { class: "show-action", hidden: true, text: "Save the report" });
    this.words = el("p", { class: "mute show-small", role: "status" });
    this.element = el("section", { class: "show-limits", "aria-label": this.title }, el("h2", { text: "The report" }),
      el("p", { text: "Every figure of this demonstration, with its interval, its pictures and its limits, in one file that opens without a network." }),
      this.make, this.link, this.words);
    this.make.hidden = Boolean(this.lack);
    this.words.textContent = this.lack;
  }

  enter() {
    this.fed();
    if (!this.make.hidden) this.make.focus();
  }

  key({ key }) {
    if (key !== "Enter" || this.make.hidden) return false;
    this.ask();
    return true;
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    this.words.textContent = "The report is being made; this takes a few seconds.";
    this.wants.report = null;
    this.wants.want([{ what: "report" }]);
  }

  fed() {
    const { report } = this.wants;
    if (!report) return;
    this.asked = false;
    this.words.textContent = report.lack ?? "";
    if (report.lack) return;
    this.make.hidden = true;
    this.link.hidden = false;
    this.link.href = mediaUrl(report.url);
    this.link.download = report.name;
    if (this.element.isConnected) this.link.focus();
  }
}
