// Judging and painting by thresholds on trial, which no other viewer hears of; and rates among 1,000 parts.

import { blendTable, Scale } from "./heat.js";
import { judge } from "./verdict.js";

const OPACITY = 0.72;

export function paintingFor({ pixelThreshold, minArea }) {
  const none = pixelThreshold === null;
  return { mode: none ? "off" : "heat", scale: none ? null : Scale.anchored(pixelThreshold), blend: blendTable(OPACITY), minArea };
}

// The thresholds with the reject threshold elsewhere; the review band keeps its proportion to it.
export function moved(inForce, pixel, reject) {
  const { thresholds } = inForce;
  const review = thresholds.review === null ? null : thresholds.reject > 0 ? (reject * thresholds.review) / thresholds.reject : Math.min(reject, thresholds.review);
  return { ...inForce, thresholds: { reject, review }, pixelThreshold: pixel ?? review ?? reject };
}

// Escapes among defects and false rejects among good parts: counts, rates, and their intervals (null without one).
// Labels that are no sample have counts alone. A random sample has rates weighted by its draw, for the thresholds in
// force (`isInForce`) alone.
export function ratesOf({ items, intervals, noInterval, weighted }, by, isInForce) {
  const tally = (kinds, intervalsOf, wrong, estimate) => {
    const verdicts = items.filter(({ kind }) => kinds.includes(kind)).map((item) => judge(item, by));
    const events = verdicts.filter((verdict) => verdict === wrong).length;
    const review = verdicts.filter((verdict) => verdict === "review").length;
    const trials = verdicts.length;
    const counted = trials > 0 && by.thresholds.reject !== null;
    const found = { events, trials, review, counted, rate: null, interval: null, lack: "" };
    if (!counted) return found;
    if (!noInterval) return { ...found, rate: events / trials, interval: intervalsOf[events] };
    if (estimate && isInForce) return { ...found, ...estimate, isWeighted: true };
    const drawn = Object.keys(weighted ?? {}).length > 0;
    return { ...found, lack: estimate ? "the draw gives a share for the threshold in force" : drawn ? "the draw holds too few for a share" : "no share follows: they are no sample" };
  };
  return {
    escapes: tally(["defect"], intervals.defect, "accept", weighted?.escapes),
    falseRejects: tally(["good", "reference"], intervals.good, "reject", weighted?.falseRejects),
  };
}

// A rate among 1,000, with the digits that matter: 0, 4.2, 95.
export function perThousand(rate) {
  const value = 1000 * rate;
  return value.toLocaleString("en", { maximumFractionDigits: value > 0 && value < 10 ? 1 : 0 });
}
