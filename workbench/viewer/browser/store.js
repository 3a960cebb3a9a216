// State that linked viewers of a page share without the server: thresholds, the way of painting, the image
// pointed at, the current image. Viewers mounted with the same link follow each other within the frame.

const stores = new Map();
const PREFERENCES = "patchcore.viewer";
const PATIENCE = 5000; // milliseconds in which the page opens an image that was asked for

export const UNPAINTED = new Set(["hover", "current", "position"]); // changes that no picture shows

export function storeFor(link) {
  if (!stores.has(link)) stores.set(link, new Store());
  return stores.get(link);
}

class Store {
  constructor() {
    this.thresholds = { reject: null, review: null };
    this.pixel = null; // null: pixels count from the review threshold on, without a band from the reject threshold on
    this.minArea = 1;
    this.judgeBy = "score";
    this.pictureCheck = true; // whether doubts about a whole picture count
    this.hover = null;
    this.current = null; // key of the image that a detail shows or is about to show
    this.details = 0; // number of details on the page
    this.position = null; // { at, count, gallery }: its place in the gallery that has it
    this.wanted = null; // { key, reveal, until }: the image that was asked for and is not shown yet
    this.original = false; // true while the key that shows the bare picture is held
    this.revision = this.ruleRevision = "";
    this.listeners = new Set();
    Object.assign(this, { mode: "heat", opacity: 0.6 }, preferences());
  }

  // Takes over Python's values, but only when the page has changed its mind (workbench/viewer/lineage.py).
  adopt({ reject, review, revision, rule, ruleRevision, judgeBy, pictureCheck }) {
    const changes = judgeBy !== this.judgeBy ? { judgeBy } : {};
    if (pictureCheck !== this.pictureCheck) changes.pictureCheck = pictureCheck;
    if (isNewer(revision, this.revision)) Object.assign(changes, { thresholds: { reject, review }, revision });
    if (isNewer(ruleRevision, this.ruleRevision)) Object.assign(changes, rule, { ruleRevision });
    if (Object.keys(changes).length) this.set(changes);
  }

  // Makes an image the current one, before the page shows it. `reveal`: the page goes to its detail.
  ask(key, reveal) {
    this.wanted = { key, reveal, until: performance.now() + PATIENCE };
    this.set({ current: key });
  }

  // A detail shows an image; tells whether the page goes to it. An image that the user has left meanwhile stays passed.
  arrive(key) {
    const { wanted } = this;
    if (wanted && wanted.key !== key && performance.now() < wanted.until) return false;
    this.wanted = null;
    if (this.current !== key) this.set({ current: key });
    return wanted?.reveal ?? true;
  }

  leave() {
    this.wanted = null;
    if (this.current !== null) this.set({ current: null });
  }

  set(changes) {
    Object.assign(this, changes);
    if ("mode" in changes || "opacity" in changes) remember({ mode: this.mode, opacity: this.opacity });
    for (const listener of this.listeners) listener(changes);
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get pixelThreshold() {
    return this.pixel ?? this.thresholds.review ?? this.thresholds.reject;
  }
}

// A revision is "name:number"; under one name only a higher number is news, for a busy page may draw an old run late.
function isNewer(revision, known) {
  const [name, number] = revision.split(":");
  const [knownName, knownNumber] = known.split(":");
  return name !== knownName || Number(number) > Number(knownNumber);
}

function preferences() {
  try {
    const { mode, opacity } = JSON.parse(localStorage.getItem(PREFERENCES)) ?? {};
    return { ...(mode && { mode }), ...(opacity >= 0 && { opacity }) };
  } catch {
    return {}; // storage may be closed to us; the usual way of painting will do
  }
}

function remember(chosen) {
  try {
    localStorage.setItem(PREFERENCES, JSON.stringify(chosen));
  } catch {
    // then it is not remembered
  }
}
