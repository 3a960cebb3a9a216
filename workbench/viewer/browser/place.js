// The place that decided: which box it is, whether heat shows it already, and its frame on a picture seen from afar.

import { judge } from "./verdict.js";

const FAINT = 1.1; // times the threshold, below which heat is too pale to be seen from afar

// The box of the place that decided, where an image is flagged for its score; null otherwise. The rule and its reasons:
// `place_that_decided` in patchcore/inspection.py.
export function decidedPlace(item, store) {
  const { thresholds, judgeBy } = store;
  if (!item.box || judgeBy === "area" || thresholds.reject === null) return null;
  const flagged = ["review", "reject"].includes(judge(item, store));
  return flagged && item.score > (thresholds.review ?? thresholds.reject) ? item.box : null;
}

// Whether a map's heat is seen from afar.
export function showsHeat({ rowMax, step }, threshold) {
  return rowMax.some((code) => code * step > FAINT * threshold);
}

// Frames the place that decided where the heat cannot be seen: what is flagged shows where.
export function framePlace(context, item, by, { map, width: wide, height: high }, threshold) {
  const box = decidedPlace(item, by);
  if (!box || (map && showsHeat(map, threshold))) return;
  const [x0, y0, x1, y1] = box;
  const [across, down] = [wide / item.width, high / item.height];
  for (const [colour, line] of [["rgb(16 20 24 / .8)", 5], ["#fff", 2.4]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down);
  }
}
