// The line around pixels above the threshold: in the map's pixels as patchcore/maps/rendering.py draws it (step 4),
// and as a path that stays sharp at any zoom.

import { lastCodeAtOrBelow } from "./heat.js";
import { CONTOUR_LINE, CONTOUR_RIM } from "./palette.js";

// Draws line and rim into RGBA bytes of the map's own size, in place. With labels (from findRegions) only the
// listed regions count as inside. Reads only the part of the map that is not empty.
export function paintContour(rgba, map, threshold, labels = null) {
  const { width, height } = map;
  const box = boundsAbove(map, lastCodeAtOrBelow(map, threshold));
  if (!box) return;
  const line = contourWidth(map);
  const rim = (line + 1) >> 1;
  const margin = line + 1;
  const window = insideOf(map, lastCodeAtOrBelow(map, threshold), labels, box, margin);
  const lineCounts = boxCounts(window, line);
  const rimCounts = rim === line ? lineCounts : boxCounts(window, rim);
  const full = (2 * line + 1) ** 2;
  for (let y = Math.max(0, box.y0 - rim); y < Math.min(height, box.y1 + rim); y++) {
    for (let x = Math.max(0, box.x0 - rim); x < Math.min(width, box.x1 + rim); x++) {
      const at = (y - box.y0 + margin) * window.columns + x - box.x0 + margin;
      if (window.inside[at] ? lineCounts[at] === full : !rimCounts[at]) continue;
      const [red, green, blue] = window.inside[at] ? CONTOUR_LINE : CONTOUR_RIM;
      const to = (y * width + x) * 4;
      rgba[to] = red;
      rgba[to + 1] = green;
      rgba[to + 2] = blue;
    }
  }
}

export function contourWidth({ width, height }) {
  return Math.max(1, Math.floor(Math.min(height, width) / 450 + 0.5));
}

// Draws the dashed frame of a box into RGBA bytes in place (step 6 of the rule).
export function paintBox(rgba, { width, height }, [left, top, right, bottom]) {
  const [x0, y0, x1, y1] = [Math.max(0, left), Math.max(0, top), Math.min(width, right), Math.min(height, bottom)];
  const line = contourWidth({ width, height }) + 1;
  for (let y = y0; y < y1; y++) {
    const edge = y - y0 < line || y1 - y <= line;
    for (let x = x0; x < x1; x++) {
      if (!edge && x - x0 >= line && x1 - x > line) x = x1 - line; // the frame is empty inside
      const dash = Math.floor((x - x0 + y - y0) / (3 * line)) % 2;
      const to = (y * width + x) * 4;
      [rgba[to], rgba[to + 1], rgba[to + 2]] = dash ? CONTOUR_RIM : CONTOUR_LINE;
    }
  }
}

// A box of the original at a picture's size, grown to whole pixels.
export function scaledBox([x0, y0, x1, y1], original, { width, height }) {
  const across = width / original.width;
  const down = height / original.height;
  return [Math.floor(x0 * across), Math.floor(y0 * down), Math.ceil(x1 * across), Math.ceil(y1 * down)];
}

function boundsAbove({ codes, width, height, rowMax }, limit) {
  const box = { x0: width, y0: height, x1: 0, y1: 0 };
  for (let y = 0; y < height; y++) {
    if (rowMax[y] <= limit) continue;
    box.y0 = Math.min(box.y0, y);
    box.y1 = y + 1;
    const row = y * width;
    let first = 0;
    while (codes[row + first] <= limit) first++;
    let last = width - 1;
    while (codes[row + last] <= limit) last--;
    box.x0 = Math.min(box.x0, first);
    box.x1 = Math.max(box.x1, last + 1);
  }
  return box.y1 ? box : null;
}

// The part of the mask in a box, with an empty margin around it.
function insideOf({ codes, width }, limit, labels, { x0, y0, x1, y1 }, margin) {
  const columns = x1 - x0 + 2 * margin;
  const rows = y1 - y0 + 2 * margin;
  const inside = new Uint8Array(rows * columns);
  for (let y = y0; y < y1; y++) {
    let to = (y - y0 + margin) * columns + margin;
    for (let at = y * width + x0, end = y * width + x1; at < end; at++, to++) {
      inside[to] = (labels ? labels[at] > 0 : codes[at] > limit) ? 1 : 0;
    }
  }
  return { inside, columns, rows };
}

// How many pixels at most `radius` rows and columns away are inside; running sums along rows, then columns.
function boxCounts({ inside, columns, rows }, radius) {
  const across = new Uint16Array(inside.length);
  const counts = new Uint16Array(inside.length);
  for (let row = 0; row < inside.length; row += columns) {
    let sum = 0;
    for (let x = 0; x < columns + radius; x++) {
      if (x < columns) sum += inside[row + x];
      if (x > 2 * radius) sum -= inside[row + x - 2 * radius - 1];
      if (x >= radius) across[row + x - radius] = sum;
    }
  }
  for (let y = 0; y < rows; y++) {
    for (let d = Math.max(0, y - radius); d <= Math.min(rows - 1, y + radius); d++) {
      for (let x = 0; x < columns; x++) counts[y * columns + x] += across[d * columns + x];
    }
  }
  return counts;
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
