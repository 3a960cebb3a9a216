// The marks for an image's label: a shape for each kind, and a separate one for each type of defect.

const DEFECTS = ["diamond", "triangle", "cross", "wedge", "star", "bar"];
const SIGNS = { disc: "●", ring: "○", square: "■", diamond: "◆", triangle: "▲", cross: "✚", wedge: "▼", star: "★", bar: "▬" };
const OUTLINES = {
  diamond: [[0, -4.6], [4.6, 0], [0, 4.6], [-4.6, 0]],
  triangle: [[0, -4.6], [4.4, 3.4], [-4.4, 3.4]],
  wedge: [[0, 4.6], [4.4, -3.4], [-4.4, -3.4]],
  square: [[-3, -3], [3, -3], [3, 3], [-3, 3]],
  bar: [[-5, -2], [5, -2], [5, 2], [-5, 2]],
  cross: [[-1.5, -4.5], [1.5, -4.5], [1.5, -1.5], [4.5, -1.5], [4.5, 1.5], [1.5, 1.5], [1.5, 4.5], [-1.5, 4.5], [-1.5, 1.5],
    [-4.5, 1.5], [-4.5, -1.5], [-1.5, -1.5]],
  star: [...Array(10)].map((_, at) => {
    const reach = at % 2 ? 2.2 : 5.2;
    return [reach * Math.sin((at * Math.PI) / 5), -reach * Math.cos((at * Math.PI) / 5)];
  }),
};
const WORDS = { good: "good", reference: "good, each left out", image: "not labelled" };

// Gives every item the shape of its kind, and the legend of the shapes: [{ sign, text }].
export function assignShapes(items) {
  const groups = [...new Set(items.filter(({ kind }) => kind === "defect").map(({ group }) => group ?? "defect"))].sort();
  const shapes = { good: "disc", reference: "ring", image: "square" };
  for (const item of items) {
    item.shape = shapes[item.kind] ?? DEFECTS[groups.indexOf(item.group ?? "defect") % DEFECTS.length];
  }
  const kinds = new Set(items.map(({ kind }) => kind));
  return [
    ...Object.keys(WORDS).filter((kind) => kinds.has(kind)).map((kind) => ({ sign: SIGNS[shapes[kind]], text: WORDS[kind] })),
    ...groups.map((group, at) => ({ sign: SIGNS[DEFECTS[at % DEFECTS.length]], text: group })),
  ];
}

export function drawMark(context, { shape }, x, y, colour) {
  context.fillStyle = context.strokeStyle = colour;
  context.globalAlpha = 0.75;
  context.beginPath();
  const outline = OUTLINES[shape];
  if (outline) outline.forEach(([dx, dy], at) => (at ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
  else context.arc(x, y, shape === "ring" ? 2.8 : 3.4, 0, 7);
  if (shape === "ring") {
    context.lineWidth = 1.2;
    context.stroke();
  } else context.fill();
  context.globalAlpha = 1;
}
