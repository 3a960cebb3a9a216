// The picture of a detail: whole when it is small; else an overview, and lossless crops where one looks closely.

import { decodePicture, fetchBytes } from "./pictures.js";

const KEPT = 40;
const PAUSE = 120; // ms of a view at rest before crops are asked for

export class SharpPicture {
  constructor(ask, arrived) {
    this.ask = ask;
    this.arrived = arrived;
    this.crops = new Map(); // "row,column" -> ImageBitmap or null while on its way
  }

  show(image, original, crops) {
    if (image !== this.image) {
      this.forget();
      this.image = image;
    }
    this.original = original;
    this.size = crops?.size ?? 0;
    this.overview = image.width / original.width;
    for (const [place, url] of Object.entries(crops?.have ?? {})) if (!this.crops.get(place)) this.fetch(place, url);
  }

  async fetch(place, url) {
    const image = this.image;
    if (this.crops.get(place) === null && this.coming?.has(url)) return;
    (this.coming ??= new Set()).add(url);
    const crop = await fetchBytes(url).then(decodePicture).then((picture) => picture.image, () => null);
    this.coming.delete(url);
    if (!crop || image !== this.image) return;
    this.crops.delete(place);
    this.crops.set(place, crop);
    for (const [oldest, held] of this.crops) {
      if (this.crops.size <= KEPT || oldest === place) break;
      held?.close();
      this.crops.delete(oldest);
    }
    this.arrived();
  }

  forget() {
    clearTimeout(this.pause);
    for (const crop of this.crops.values()) crop?.close();
    this.crops.clear();
    this.image?.close();
    this.image = null;
  }

  // Draws the visible part. Enlarged pixels stay squares, except the overview's.
  draw(context, view) {
    if (!this.image) return;
    const { width, height } = this.original;
    const [left, top] = view.offset;
    context.setTransform(view.scale, 0, 0, view.scale, left, top);
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = this.overview < 1 || (view.scale < 2 && view.scale !== 1);
    context.drawImage(this.image, 0, 0, width, height);
    if (!this.size || view.scale <= this.overview) return;
    context.imageSmoothingEnabled = view.scale < 2 && view.scale !== 1;
    for (const place of this.placesIn(view)) {
      const crop = this.crops.get(place);
      if (!crop) continue;
      const [row, column] = place.split(",").map(Number);
      context.drawImage(crop, column * this.size, row * this.size);
    }
  }

  placesIn(view) {
    const [x0, y0, x1, y1] = view.visible;
    const places = [];
    for (let row = Math.floor(y0 / this.size); row * this.size < y1; row++) {
      for (let column = Math.floor(x0 / this.size); column * this.size < x1; column++) places.push(`${row},${column}`);
    }
    return places;
  }

  // Asks for the crops a view at rest needs and lacks.
  lookedAt(view) {
    clearTimeout(this.pause);
    if (!this.image || !this.size || view.scale <= this.overview * 1.02) return;
    this.pause = setTimeout(() => {
      const missing = this.placesIn(view).filter((place) => !this.crops.has(place));
      for (const place of missing) this.crops.set(place, null);
      if (missing.length) this.ask(missing.map((place) => place.split(",").map(Number)));
    }, PAUSE);
  }
}
