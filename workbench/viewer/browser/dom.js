// Building the page's elements. Texts only ever arrive as text nodes, never as markup.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A row of buttons of which exactly one is on; arrow keys move, as in a radio group.
export function segments(label, options, current, choose) {
  const group = el("div", { class: "seg", role: "radiogroup", "aria-label": label });
  const buttons = options.map(({ value, text, title }) =>
    el("button", { type: "button", role: "radio", text, title, "data-value": value, onclick: () => pick(value) }),
  );
  group.append(...buttons);
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = buttons.findIndex((button) => button.getAttribute("aria-checked") === "true");
    const next = buttons[(at + step + buttons.length) % buttons.length];
    pick(next.dataset.value);
    next.focus();
  });
  function pick(value) {
    show(value);
    choose(value);
  }
  function show(value) {
    for (const button of buttons) {
      const on = button.dataset.value === value;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  }
  show(current);
  group.show = show;
  group.relabel = (value, text) => {
    const button = buttons.find((candidate) => candidate.dataset.value === value);
    if (button && button.textContent !== text) button.textContent = text;
  };
  return group;
}

export function slider(label, { min, max, step, value, format }, change, release = () => {}) {
  const readout = el("output", { class: "num", text: format(value) });
  const input = el("input", { type: "range", min, max, step, "aria-label": label });
  input.value = value;
  input.addEventListener("input", () => {
    readout.textContent = format(Number(input.value));
    change(Number(input.value));
  });
  input.addEventListener("change", () => release(Number(input.value)));
  const wrapped = el("label", { class: "slider" }, el("span", { text: label }), input, readout);
  wrapped.show = (next) => {
    input.value = next;
    readout.textContent = format(Number(next));
  };
  wrapped.span = (least, most) => {
    if (Number(input.min) === least && Number(input.max) === most) return;
    [input.min, input.max] = [least, most];
    input.step = (most - least) / 400;
  };
  return wrapped;
}

export function button(text, click, properties = {}) {
  return el("button", { type: "button", class: "btn", text, onclick: click, ...properties });
}

// A number with the digits that matter for the scale it lies on.
export function digits(value, scale = Math.abs(value)) {
  if (!Number.isFinite(value)) return "–";
  return value.toFixed(scale >= 100 ? 0 : scale >= 10 ? 1 : scale >= 0.1 ? 2 : 4);
}

// At most one call per frame, however many requests come.
export function perFrame(work) {
  let waiting = 0;
  const ask = () => {
    if (!waiting) waiting = requestAnimationFrame(() => {
      waiting = 0;
      work();
    });
  };
  ask.cancel = () => {
    cancelAnimationFrame(waiting);
    waiting = 0;
  };
  return ask;
}

// Whether the window shows little at once: a small screen, or a page that is zoomed. The style sheets ask the same.
export const SHORT = matchMedia("(max-height: 700px)");

export function typing(event) {
  const origin = event.composedPath()[0];
  return origin instanceof HTMLInputElement ? origin.type !== "range" : origin instanceof HTMLTextAreaElement;
}
