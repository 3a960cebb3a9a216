// Defect regions of a map, by the rule of patchcore/maps/regions.py: 8-connected pixels strictly above the threshold.

import { lastCodeAtOrBelow } from "./heat.js";

// Gives { regions, labels }: regions of at least minArea pixels, worst first, boxes half-open (x0, y0, x1, y1);
// labels holds 0 outside them and the region's place in the list plus one inside.
export function findRegions(map, threshold, minArea = 1) {
  const { labels, count } = connected(map, lastCodeAtOrBelow(map, threshold));
  const found = measure(map, labels, count).map((region, at) => ({ ...region, label: at + 1 }));
  const regions = found.filter((region) => region.area >= minArea);
  regions.sort((a, b) => b.score - a.score || b.area - a.area || compareBoxes(a.box, b.box));
  const place = new Int32Array(count + 1);
  regions.forEach((region, at) => (place[region.label] = at + 1));
  for (let at = 0; at < labels.length; at++) labels[at] = place[labels[at]];
  return { regions, labels };
}

function compareBoxes(a, b) {
  const at = a.findIndex((edge, place) => edge !== b[place]);
  return at < 0 ? 0 : a[at] - b[at];
}

// Two passes with a forest of equal labels; labels come out in the order of each region's first pixel.
function connected(map, limit) {
  const { codes, width, height, rowMax } = map;
  const labels = new Int32Array(codes.length);
  const parent = [0];
  for (let y = 0; y < height; y++) {
    if (rowMax[y] <= limit) continue;
    for (let x = 0, at = y * width; x < width; x++, at++) {
      if (codes[at] <= limit) continue;
      let label = x > 0 ? labels[at - 1] : 0;
      if (y > 0) {
        if (x > 0) label = join(parent, label, labels[at - width - 1]);
        label = join(parent, label, labels[at - width]);
        if (x + 1 < width) label = join(parent, label, labels[at - width + 1]);
      }
      labels[at] = label || parent.push(parent.length) - 1;
    }
  }
  return relabel(labels, parent);
}

function root(parent, label) {
  while (parent[label] !== label) label = parent[label] = parent[parent[label]];
  return label;
}

function join(parent, a, b) {
  if (!a || !b) return a || b;
  const rootA = root(parent, a);
  const rootB = root(parent, b);
  const first = Math.min(rootA, rootB);
  parent[rootA] = parent[rootB] = first;
  return first;
}

function relabel(labels, parent) {
  const final = new Int32Array(parent.length);
  let count = 0;
  for (let at = 0; at < labels.length; at++) {
    if (!labels[at]) continue;
    const top = root(parent, labels[at]);
    if (!final[top]) final[top] = ++count;
    labels[at] = final[top];
  }
  return { labels, count };
}

function measure(map, labels, count) {
  const { codes, width, step } = map;
  const regions = Array.from({ length: count }, () => ({
    area: 0, code: 0, x0: Infinity, y0: Infinity, x1: 0, y1: 0, sumX: 0, sumY: 0,
  }));
  for (let at = 0; at < labels.length; at++) {
    if (!labels[at]) continue;
    const region = regions[labels[at] - 1];
    const x = at % width;
    const y = (at - x) / width;
    region.area++;
    region.code = Math.max(region.code, codes[at]);
    region.x0 = Math.min(region.x0, x);
    region.y0 = Math.min(region.y0, y);
    region.x1 = Math.max(region.x1, x + 1);
    region.y1 = Math.max(region.y1, y + 1);
    region.sumX += x;
    region.sumY += y;
  }
  return regions.map(({ area, code, x0, y0, x1, y1, sumX, sumY }) => ({
    area,
    box: [x0, y0, x1, y1],
    score: Math.fround(code * step),
    centroid: [sumX / area, sumY / area],
  }));
}
