// How dense the scores of good images and of defects lie, as two soft hills behind the dots.

const STEP = 3; // pixels

export function drawDensity(context, items, place, { top, bottom, width }, colours) {
  const kinds = [
    [items.filter(({ kind }) => kind === "good" || kind === "reference"), colours.accept],
    [items.filter(({ kind }) => kind === "defect"), colours.reject],
  ];
  for (const [some, colour] of kinds) {
    if (some.length > 2) hill(context, densities(some.map(({ score }) => place(score)), width), { top, bottom }, colour);
  }
}

// Gaussian kernels with Silverman's bandwidth (Density Estimation, 1986, eq. 3.31), in pixels.
export function densities(places, width) {
  const sorted = [...places].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.round(share * (sorted.length - 1)))];
  const mean = places.reduce((sum, x) => sum + x, 0) / places.length;
  const deviation = Math.sqrt(places.reduce((sum, x) => sum + (x - mean) ** 2, 0) / places.length);
  const spread = Math.min(deviation, (at(0.75) - at(0.25)) / 1.34 || deviation);
  const bandwidth = Math.max(4, 0.9 * spread * places.length ** -0.2);
  const curve = [];
  for (let x = 0; x <= width; x += STEP) {
    curve.push(places.reduce((sum, place) => sum + Math.exp(-0.5 * ((x - place) / bandwidth) ** 2), 0));
  }
  return curve;
}

function hill(context, curve, { top, bottom }, colour) {
  const highest = curve.reduce((most, value) => Math.max(most, value), 0);
  context.beginPath();
  context.moveTo(0, bottom);
  curve.forEach((value, at) => context.lineTo(at * STEP, bottom - (value / highest) * (bottom - top)));
  context.lineTo((curve.length - 1) * STEP, bottom);
  context.closePath();
  context.globalAlpha = 0.13;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
}
