// The order of decoding: pictures on screen first, then the next ones to come.

import { decodePicture, fetchBytes, pixelsOf } from "./pictures.js";

const AT_ONCE = 6;
const DECODED_BYTES = 256 * 2 ** 20;

export class PictureLoader {
  constructor(arrived) {
    this.arrived = arrived;
    this.decoded = new Map(); // url -> picture, oldest use first
    this.bytes = 0;
    this.wanted = [];
    this.running = new Set();
    this.failed = new Set();
  }

  // Gives the decoded picture, or null while it is on its way.
  get(url) {
    const picture = this.decoded.get(url);
    if (!picture) return null;
    this.decoded.delete(url);
    this.decoded.set(url, picture);
    return picture;
  }

  // Names the pictures needed now, the most urgent first; earlier requests that are no longer needed are dropped.
  want(urls) {
    this.wanted = urls;
    this.next();
  }

  next() {
    for (const url of this.wanted) {
      if (this.running.size >= AT_ONCE) return;
      if (this.decoded.has(url) || this.running.has(url) || this.failed.has(url)) continue;
      this.running.add(url);
      this.load(url);
    }
  }

  async load(url) {
    try {
      const { image, map, header } = await decodePicture(await fetchBytes(url));
      const { width, height } = header.image;
      // share: pixels of the tile per pixel of the original, for areas
      const { original } = header;
      const share = (width * height) / (original.width * original.height);
      const picture = { map, base: pixelsOf(image, width, height), width, height, share, original };
      image.close();
      this.keep(url, picture);
      this.arrived(url, picture);
    } catch {
      this.failed.add(url);
      this.arrived(url, null);
    } finally {
      this.running.delete(url);
      this.next();
    }
  }

  keep(url, picture) {
    this.decoded.set(url, picture);
    this.bytes += sizeOf(picture);
    for (const [oldest, held] of this.decoded) {
      if (this.bytes <= DECODED_BYTES || oldest === url) break;
      this.decoded.delete(oldest);
      this.bytes -= sizeOf(held);
    }
  }
}

function sizeOf({ base, map }) {
  return base.data.byteLength + (map ? map.codes.byteLength : 0);
}
