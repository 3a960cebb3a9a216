// The line around what lies above the threshold: in the map's pixels as patchcore/rendering.py draws it (step 4),
// and as a path that stays sharp at any zoom.

import { lastCodeAtOrBelow } from "./heat.js";
import { CONTOUR_LINE, CONTOUR_RIM } from "./palette.js";

// Draws line and rim into RGBA bytes of the map's own size, in place. With labels (from findRegions) only the
// regions that were kept count as inside.
export function paintContour(rgba, map, threshold, labels = null) {
  const { codes, width, height, rowMax } = map;
  const limit = lastCodeAtOrBelow(map, threshold);
  let first = 0;
  let last = height - 1;
  while (first < height && rowMax[first] <= limit) first++;
  while (last >= first && rowMax[last] <= limit) last--;
  if (first > last) return;
  const line = Math.max(1, Math.floor(Math.min(height, width) / 450 + 0.5));
  const rim = (line + 1) >> 1;
  const margin = Math.max(line, rim) + 1;
  const rows = last - first + 1 + 2 * margin;
  const columns = width + 2 * margin;
  const inside = new Uint8Array(rows * columns);
  for (let y = first; y <= last; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (labels ? labels[at] : codes[at] > limit) inside[(y - first + margin) * columns + x + margin] = 1;
    }
  }
  const core = spread(inside, columns, rows, line, 0); // what is left after the edge is taken away
  const around = spread(inside, columns, rows, rim, 1);
  for (let y = Math.max(0, first - rim); y <= Math.min(height - 1, last + rim); y++) {
    for (let x = 0; x < width; x++) {
      const at = (y - first + margin) * columns + x + margin;
      const colour = inside[at] ? (core[at] ? null : CONTOUR_LINE) : around[at] ? CONTOUR_RIM : null;
      if (colour) rgba.set(colour, (y * width + x) * 4);
    }
  }
}

// Every pixel takes the value `winner` when a pixel at most `radius` rows and columns away has it.
function spread(mask, columns, rows, radius, winner) {
  const across = Uint8Array.from(mask);
  const result = Uint8Array.from(mask);
  for (let y = 0; y < rows; y++) {
    for (let x = radius; x < columns - radius; x++) {
      const at = y * columns + x;
      for (let d = -radius; d <= radius; d++) if (mask[at + d] === winner) across[at] = winner;
    }
  }
  for (let y = radius; y < rows - radius; y++) {
    for (let x = 0; x < columns; x++) {
      const at = y * columns + x;
      result[at] = across[at];
      for (let d = -radius; d <= radius; d++) if (across[at + d * columns] === winner) result[at] = winner;
    }
  }
  return result;
}

// Where each corner pattern of a cell is crossed: pairs of sides (0 top, 1 right, 2 bottom, 3 left).
const CROSSINGS = [
  [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
  [2, 3], [2, 0], [0, 1, 2, 3], [2, 1], [1, 3], [1, 0], [0, 3], [],
];

// The same line as a Path2D in the map's coordinates (pixel centres at halves), by marching squares.
export function contourPath(map, threshold, labels = null) {
  const { codes, width, height, rowMax, step } = map;
  const path = new Path2D();
  const limit = lastCodeAtOrBelow(map, threshold);
  const score = (x, y) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return 0;
    const at = y * width + x;
    const value = codes[at] * step;
    return labels && !labels[at] ? Math.min(value, threshold) : value;
  };
  for (let y = -1; y < height; y++) {
    if ((y < 0 || rowMax[y] <= limit) && (y + 1 >= height || rowMax[y + 1] <= limit)) continue;
    for (let x = -1; x < width; x++) {
      const corners = [score(x, y), score(x + 1, y), score(x + 1, y + 1), score(x, y + 1)];
      let pattern = 0;
      for (let at = 0; at < 4; at++) if (corners[at] > threshold) pattern |= 1 << at;
      const sides = CROSSINGS[pattern];
      for (let at = 0; at < sides.length; at += 2) {
        path.moveTo(...crossing(sides[at], corners, x, y, threshold));
        path.lineTo(...crossing(sides[at + 1], corners, x, y, threshold));
      }
    }
  }
  return path;
}

function crossing(side, [a, b, c, d], x, y, threshold) {
  const between = (from, to) => (to === from ? 0.5 : (threshold - from) / (to - from));
  if (side === 0) return [x + 0.5 + between(a, b), y + 0.5];
  if (side === 1) return [x + 1.5, y + 0.5 + between(b, c)];
  if (side === 2) return [x + 0.5 + between(d, c), y + 1.5];
  return [x + 0.5, y + 0.5 + between(a, d)];
}
