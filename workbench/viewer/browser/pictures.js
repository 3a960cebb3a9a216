// Fetching and decoding pictures encoded by Python (workbench/storage/pictures.py and map_codec.py state the format).

const MAGIC = 0x31544350; // "PCT1"
const RAW_BYTES = 192 * 2 ** 20;
const RETRIES = [200, 800, 2000];
const raw = new Map(); // url -> ArrayBuffer, oldest use first
let rawBytes = 0;

export function mediaUrl(path) {
  const script = document.querySelector('script[src*="static/js/"]');
  const base = script ? script.src.replace(/static\/js\/.*$/, "") : `${location.origin}/`;
  return new URL(path.replace(/^\//, ""), base).href;
}

export async function fetchBytes(path) {
  const known = raw.get(path);
  if (known) {
    raw.delete(path);
    raw.set(path, known);
    return known;
  }
  const buffer = await fetchPatiently(mediaUrl(path));
  raw.set(path, buffer);
  rawBytes += buffer.byteLength;
  for (const [oldest, held] of raw) {
    if (rawBytes <= RAW_BYTES || oldest === path) break;
    raw.delete(oldest);
    rawBytes -= held.byteLength;
  }
  return buffer;
}

// A connection may drop for a moment; asking again is enough.
async function fetchPatiently(url) {
  for (const pause of [...RETRIES, null]) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return answer.arrayBuffer();
    if (pause === null) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error("The picture could not be fetched from the server.");
}

export async function fetchJson(path) {
  return JSON.parse(new TextDecoder().decode(await fetchBytes(path)));
}

// Gives { image: ImageBitmap | null, map: {...} | null, header }.
export async function decodePicture(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new Error("This is not a picture of the viewer.");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const imageAt = 8 + length;
  const mapAt = imageAt + (header.image?.bytes ?? 0);
  const [image, map] = await Promise.all([
    header.image && decodeImage(new Uint8Array(buffer, imageAt, header.image.bytes), header.image.type),
    header.map && decodeMap(new Uint8Array(buffer, mapAt, header.map.bytes), header.map),
  ]);
  return { image: image ?? null, map: map ?? null, header };
}

export function decodeImage(bytes, type) {
  return createImageBitmap(new Blob([bytes], { type }), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

export async function decodeMap(bytes, { width, height, bits, step }) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = width * height;
  const codes = bits === 16 ? new Uint16Array(size) : new Uint32Array(size);
  const rowMax = new Uint32Array(height);
  const wrap = 2 ** bits - 1;
  for (let y = 0, at = 0; y < height; y++) {
    let sum = 0;
    let highest = 0;
    for (let x = 0; x < width; x++, at++) {
      const folded = bits === 16 ? (planes[at] << 8) | planes[size + at]
        : (planes[at] << 16) | (planes[size + at] << 8) | planes[2 * size + at];
      sum += folded & 1 ? -((folded + 1) >> 1) : folded >> 1;
      const code = ((y ? codes[at - width] : 0) + sum) & wrap;
      codes[at] = code;
      if (code > highest) highest = code;
    }
    rowMax[y] = highest;
  }
  return { width, height, bits, codes, rowMax, highest: wrap, step: Math.fround(step) };
}

// RGBA bytes of a picture at the given size.
export function pixelsOf(image, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
