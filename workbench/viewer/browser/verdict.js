// What the thresholds say about a score, in word and sign.

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

export function countVerdicts(scores, thresholds) {
  const counts = { reject: 0, review: 0, accept: 0, none: 0 };
  for (const score of scores) counts[verdictOf(score, thresholds)]++;
  return counts;
}
