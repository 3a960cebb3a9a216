// What the scenes lack, asked of the server one thing at a time; what has arrived is remembered.

const PATIENCE = 20000; // ms, after which a question counts as lost
const AGAIN = 400; // ms, after which something that takes the server long is asked for again

export class Wants {
  constructor(ask) {
    this.ask = ask;
    this.have = { pictures: new Map(), reasons: new Map(), tiles: new Map() };
    this.lacks = {};
    this.report = null;
    this.wanted = [];
    this.pending = null;
    this.slow = new Set();
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
    const heard = material.answers !== this.answers;
    this.answers = material.answers;
    if (!this.pending || !heard) return;
    if (!this.answered(this.pending)) this.slow.add(nameOf(this.pending));
    this.settle();
    if (this.slow.size && !this.again) this.again = setTimeout(() => this.askAgain(), AGAIN);
  }

  askAgain() {
    this.again = 0;
    this.slow.clear();
    this.next();
  }

  answered({ what, keys }) {
    if (what === "report") return this.report !== null;
    return keys.every((key) => this.have[what].has(key) || (what === "tiles" && this.lacks[key]));
  }

  // Names what is lacking now, the most urgent first; earlier wishes that are not yet asked for are dropped.
  want(needs) {
    this.wanted = needs;
    this.next();
  }

  next() {
    if (this.pending) return;
    const lacking = this.wanted.filter((one) => !this.answered(one)).map(({ what, keys = [] }) =>
      ({ what, keys: keys.filter((key) => !this.have[what].has(key)) }));
    const need = lacking.find((one) => !this.slow.has(nameOf(one)));
    if (!need) return;
    this.pending = need;
    this.ask(need);
    this.timer = setTimeout(() => this.settle(), PATIENCE);
  }

  settle() {
    clearTimeout(this.timer);
    this.pending = null;
    this.next();
  }

  destroy() {
    clearTimeout(this.timer);
    clearTimeout(this.again);
    this.wanted = [];
  }
}

function nameOf({ what, keys }) {
  return `${what} ${keys}`;
}
