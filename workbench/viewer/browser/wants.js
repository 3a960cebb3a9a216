// What the scenes lack, asked of the server one thing at a time; what has arrived is remembered.

const PATIENCE = 20000; // ms, after which a question counts as lost

export class Wants {
  constructor(ask) {
    this.ask = ask;
    this.have = { pictures: new Map(), reasons: new Map(), tiles: new Map() };
    this.lacks = {};
    this.report = null;
    this.wanted = [];
    this.pending = null;
  }

  // Forgets what belonged to another batch.
  about(batch) {
    if (this.batch !== undefined && this.batch !== batch) {
      for (const found of Object.values(this.have)) found.clear();
      this.report = null;
    }
    this.batch = batch;
  }

  arrived(material) {
    for (const [what, found] of Object.entries(this.have)) {
      for (const [key, value] of Object.entries(material[what])) found.set(key, value);
    }
    Object.assign(this.lacks, material.lacks);
    this.report = material.report ?? this.report;
    if (this.pending && this.answered(this.pending)) this.settle();
  }

  answered({ what, keys }) {
    return what === "report" ? this.report !== null : keys.every((key) => this.have[what].has(key) || this.lacks[key]);
  }

  // Names what is lacking now, the most urgent first; earlier wishes that are not yet asked for are dropped.
  want(needs) {
    this.wanted = needs;
    this.next();
  }

  next() {
    if (this.pending) return;
    const need = this.wanted.find((one) => !this.answered(one));
    if (!need) return;
    const keys = need.keys?.filter((key) => !this.have[need.what].has(key)) ?? [];
    this.pending = { ...need, keys };
    this.ask({ what: need.what, keys });
    this.timer = setTimeout(() => this.settle(), PATIENCE);
  }

  settle() {
    clearTimeout(this.timer);
    this.pending = null;
    this.next();
  }

  destroy() {
    clearTimeout(this.timer);
    this.wanted = [];
  }
}
