// The view of a zoomed picture: a scale and a centre, moved by wheel, drag, pinch and keys.

export class View {
  constructor(changed) {
    this.changed = changed;
    this.picture = { width: 1, height: 1 };
    this.pane = { width: 1, height: 1 }; // device pixels
    this.fitted = true;
    this.scale = 1; // device pixels per picture pixel
    this.x = 0.5;
    this.y = 0.5;
  }

  show(width, height) {
    this.picture = { width, height };
    this.fit();
  }

  resize(width, height) {
    if (width === this.pane.width && height === this.pane.height) return;
    this.pane = { width, height };
    if (this.fitted) this.fit();
    else this.settle();
  }

  get fitScale() {
    return Math.min(this.pane.width / this.picture.width, this.pane.height / this.picture.height);
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    [this.x, this.y] = [this.picture.width / 2, this.picture.height / 2];
    this.changed();
  }

  // Sets the scale; the picture point under (px, py) of the pane stays where it is.
  zoomTo(scale, px = this.pane.width / 2, py = this.pane.height / 2) {
    const [x, y] = this.toPicture(px, py);
    this.scale = Math.min(40, Math.max(Math.min(1, this.fitScale) * 0.8, scale));
    this.fitted = false;
    this.x = x - (px - this.pane.width / 2) / this.scale;
    this.y = y - (py - this.pane.height / 2) / this.scale;
    this.settle();
  }

  moveBy(px, py) {
    this.fitted = false;
    this.x -= px / this.scale;
    this.y -= py / this.scale;
    this.settle();
  }

  lookAt([x0, y0, x1, y1]) {
    const room = 2.5;
    this.fitted = false;
    this.scale = Math.min(8, this.pane.width / ((x1 - x0) * room), this.pane.height / ((y1 - y0) * room));
    [this.x, this.y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    this.settle();
  }

  settle() {
    this.x = Math.min(this.picture.width, Math.max(0, this.x));
    this.y = Math.min(this.picture.height, Math.max(0, this.y));
    this.changed();
  }

  // The pane position of the picture's corner. Whole device pixels, so that 1:1 shows the very pixels.
  get offset() {
    return [Math.round(this.pane.width / 2 - this.x * this.scale), Math.round(this.pane.height / 2 - this.y * this.scale)];
  }

  toPicture(px, py) {
    const [left, top] = this.offset;
    return [(px - left) / this.scale, (py - top) / this.scale];
  }

  toPane(x, y) {
    const [left, top] = this.offset;
    return [left + x * this.scale, top + y * this.scale];
  }

  // The visible part, in picture pixels.
  get visible() {
    const [x0, y0] = this.toPicture(0, 0);
    const [x1, y1] = this.toPicture(this.pane.width, this.pane.height);
    return [Math.max(0, x0), Math.max(0, y0), Math.min(this.picture.width, x1), Math.min(this.picture.height, y1)];
  }
}

// Lets wheel, drag and pinch on an element move a view. `tool` may take a drag over: { down, move, up } return truth.
export function steer(element, view, tool = {}) {
  const fingers = new Map();
  let taken = false;
  const at = (event) => {
    const { left, top } = element.getBoundingClientRect();
    const sharp = window.devicePixelRatio || 1;
    return [(event.clientX - left) * sharp, (event.clientY - top) * sharp];
  };
  element.addEventListener("wheel", (event) => {
    if (view.fitted && event.deltaY > 0) return; // the page scrolls on
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    const scale = view.scale * Math.exp(-event.deltaY * lines * 0.0016);
    if (event.deltaY > 0 && scale <= view.fitScale) view.fit();
    else view.zoomTo(scale, ...at(event));
  }, { passive: false });
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 && event.button !== 1) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    taken = fingers.size === 1 && event.button === 0 && Boolean(tool.down?.(at(event), event));
  });
  element.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (taken) tool.move?.(now, event);
    else if (fingers.size === 2) pinch(view, fingers, event.pointerId, now);
    else view.moveBy(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (taken) tool.up?.(at(event), event);
    taken = false;
  };
  element.addEventListener("pointerup", lift);
  element.addEventListener("pointercancel", lift);
}

function pinch(view, fingers, moved, now) {
  const [other] = [...fingers].filter(([id]) => id !== moved).map(([, place]) => place);
  const before = fingers.get(moved);
  const wide = Math.hypot(now[0] - other[0], now[1] - other[1]);
  const narrow = Math.hypot(before[0] - other[0], before[1] - other[1]) || 1;
  const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
  view.moveBy((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  view.zoomTo((view.scale * wide) / narrow, ...middle);
}

// Gives true when the key was one of the view's.
export function zoomKey(view, event) {
  const step = view.pane.width / 8;
  const keys = {
    "+": () => view.zoomTo(view.scale * 1.25), "=": () => view.zoomTo(view.scale * 1.25),
    "-": () => view.zoomTo(view.scale / 1.25), 0: () => view.fit(), 1: () => view.zoomTo(1),
    ArrowLeft: () => view.moveBy(step, 0), ArrowRight: () => view.moveBy(-step, 0),
    ArrowUp: () => view.moveBy(0, step), ArrowDown: () => view.moveBy(0, -step),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey) return false;
  keys[event.key]();
  return true;
}
