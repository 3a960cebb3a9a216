// A place of a picture, seen closely and framed, with its title below it: in the detail, and in the demonstration.

import { el } from "./dom.js";
import { decodePicture, fetchBytes } from "./pictures.js";

const AGAIN = 1500; // ms, after which a picture is decoded once more

export function closeView(title, { url, box }) {
  const canvas = el("canvas", { role: "img", "aria-label": `Close view: ${title}` });
  const draw = () => fetchBytes(url).then(decodePicture).then(({ image }) => {
    [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const [x0, y0, x1, y1] = box.map((edge) => edge * 2);
    for (const [colour, width] of [["rgb(16 20 24 / .85)", 5], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = (width * canvas.width) / 260;
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  });
  // A busy browser may refuse to decode a picture, and takes it a moment later.
  draw().catch(() => setTimeout(() => draw().catch(() => canvas.remove()), AGAIN));
  return el("figure", {}, canvas, el("figcaption", { class: "mute", title }, el("bdi", { dir: "ltr", text: title })));
}
