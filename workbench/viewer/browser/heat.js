// The heat, pixel for pixel as patchcore/maps/rendering.py paints it (its docstring states the rule; steps 1, 2, 3, 5).

import { ALPHA_RAMP, HEAT, MAP_GREYS, MAP_GROUND } from "./palette.js";

const fround = Math.fround;

export class Scale {
  constructor(threshold, top) {
    this.threshold = threshold;
    this.top = top;
    this.start = fround(threshold);
    this.gain = fround(255 / (top - threshold));
  }

  static anchored(threshold) {
    return new Scale(threshold, threshold > 1e-30 ? 2 * threshold : threshold + 1);
  }

  level(score) {
    const place = fround(fround(fround(score - this.start) * this.gain) + 0.5);
    return place > 0 ? (place >= 255 ? 255 : place | 0) : 0;
  }
}

export function alphaTable(opacity) {
  return Uint8Array.from({ length: 256 }, (_, level) => {
    const ramp = Math.min(level / ALPHA_RAMP, 1);
    return Math.floor(255 * opacity * (ramp * ramp * (3 - 2 * ramp)) + 0.5);
  });
}

// The effect of a level on a picture value v: (v * keep + add) // 255, per channel.
export function blendTable(opacity) {
  const alpha = alphaTable(opacity);
  const add = new Uint32Array(768);
  for (let at = 0; at < 768; at++) add[at] = HEAT[at] * alpha[(at / 3) | 0] + 127;
  return { keep: Uint8Array.from(alpha, (value) => 255 - value), add };
}

// The largest code of a map whose score is not above the threshold.
export function lastCodeAtOrBelow(map, threshold) {
  const limit = fround(threshold);
  if (limit < 0) return -1;
  let code = Math.min(Math.floor(limit / map.step), map.highest);
  while (code < map.highest && fround((code + 1) * map.step) <= limit) code++;
  while (code >= 0 && fround(code * map.step) > limit) code--;
  return code;
}

// Lays the heat over RGBA bytes of the map's own size, in place.
export function paintHeat(rgba, map, scale, blend) {
  const { codes, width, height, rowMax, step } = map;
  const { keep, add } = blend;
  const { start, gain } = scale;
  const limit = lastCodeAtOrBelow(map, scale.threshold);
  for (let y = 0; y < height; y++) {
    if (rowMax[y] <= limit) continue;
    for (let at = y * width, end = at + width; at < end; at++) {
      const code = codes[at];
      if (code <= limit) continue;
      const place = fround(fround(fround(fround(code * step) - start) * gain) + 0.5);
      const level = place >= 255 ? 255 : place | 0;
      const kept = keep[level];
      const row = level * 3;
      const to = at * 4;
      // (x + (x >> 8) + 1) >> 8 is x // 255 for every x that can come up here
      let x = rgba[to] * kept + add[row];
      rgba[to] = (x + (x >> 8) + 1) >> 8;
      x = rgba[to + 1] * kept + add[row + 1];
      rgba[to + 1] = (x + (x >> 8) + 1) >> 8;
      x = rgba[to + 2] * kept + add[row + 2];
      rgba[to + 2] = (x + (x >> 8) + 1) >> 8;
    }
  }
}

// The heat alone, to be laid over a picture of another size; alpha 0 at and below the threshold.
export function heatLayer(map, scale, opacity) {
  const { codes, step } = map;
  const alpha = alphaTable(opacity);
  const rgba = new Uint8ClampedArray(codes.length * 4);
  const limit = lastCodeAtOrBelow(map, scale.threshold);
  for (let at = 0; at < codes.length; at++) {
    if (codes[at] <= limit) continue;
    const level = scale.level(fround(codes[at] * step));
    const to = at * 4;
    rgba[to] = HEAT[level * 3];
    rgba[to + 1] = HEAT[level * 3 + 1];
    rgba[to + 2] = HEAT[level * 3 + 2];
    rgba[to + 3] = alpha[level];
  }
  return rgba;
}

// The whole map: heat above the threshold, dim greys below it.
export function mapPicture(map, scale) {
  const { codes, step } = map;
  const rgba = new Uint8ClampedArray(codes.length * 4);
  const limit = fround(scale.threshold);
  for (let at = 0; at < codes.length; at++) {
    const share = limit > 0 ? Math.min(Math.max(fround(fround(codes[at] * step) / limit), 0), 1) : 0;
    const grey = fround(fround(share * MAP_GREYS) + 0.5) | 0;
    const to = at * 4;
    rgba[to] = MAP_GROUND[0] + grey;
    rgba[to + 1] = MAP_GROUND[1] + grey;
    rgba[to + 2] = MAP_GROUND[2] + grey;
    rgba[to + 3] = 255;
  }
  paintHeat(rgba, map, scale, blendTable(1));
  return rgba;
}

export function heatCss(level) {
  return `rgb(${HEAT[level * 3]} ${HEAT[level * 3 + 1]} ${HEAT[level * 3 + 2]})`;
}
