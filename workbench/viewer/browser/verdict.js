// The verdict of the thresholds on an image, in word and sign.

export const VERDICTS = {
  reject: { word: "reject", sign: "✕" },
  review: { word: "review", sign: "?" },
  accept: { word: "accept", sign: "✓" },
  none: { word: "no threshold", sign: "–" },
};

export function verdictOf(score, { reject, review }) {
  if (reject === null) return "none";
  if (score > reject) return "reject";
  return review !== null && score > review ? "review" : "accept";
}

// By score, by regions or by both (patchcore/thresholds/operating_point.py). An image has a region when its map still shows one at
// the pixel threshold: `peak` is the lowest threshold at which it shows none.
// An image with doubts about its whole picture is reviewed where it would be accepted, unless the check is off.
export function judge(item, store) {
  const byPatches = judgePatches(item, store);
  return byPatches === "accept" && store.pictureCheck && item.doubts?.length ? "review" : byPatches;
}

export function judgePatches(item, { thresholds, judgeBy, pixelThreshold }) {
  const byScore = verdictOf(item.score, thresholds);
  if (judgeBy === "score" || byScore === "none" || item.peak === undefined || pixelThreshold === null) return byScore;
  const byArea = item.peak > pixelThreshold ? "reject" : "accept";
  return judgeBy === "area" || byArea === byScore ? byArea : "review";
}

// The error of a verdict on a part whose truth is known, in words; empty where it is right or goes to a person.
export function errorOf(kind, verdict) {
  if (kind === "defect") return verdict === "accept" ? "escape" : "";
  return verdict === "reject" && (kind === "good" || kind === "reference") ? "false reject" : "";
}

export function countVerdicts(items, store) {
  const counts = { reject: 0, review: 0, accept: 0, none: 0 };
  for (const item of items) counts[judge(item, store)]++;
  return counts;
}
