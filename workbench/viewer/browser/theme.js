// Streamlit's theme: its colours arrive as CSS variables; only light or dark must be worked out.

export function followTheme(root) {
  const scheme = luminance(getComputedStyle(root).getPropertyValue("--st-background-color")) < 0.35 ? "dark" : "light";
  if (root.dataset.scheme !== scheme) root.dataset.scheme = scheme;
}

// A theme's colour by the name of its CSS variable, resolved so that a canvas understands it.
export function themeColour(root, name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  root.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function luminance(colour) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillStyle = colour.trim() || "#fff";
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
