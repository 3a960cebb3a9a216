// Money a month, from costs that live in the page's address: nothing is stored, and a link carries them.

import { el } from "./dom.js";

const LARGEST = 1e9;
export const COSTS = [
  { name: "escape", label: "Cost of an escape", most: LARGEST },
  { name: "reject", label: "Cost of a false reject", most: LARGEST },
  { name: "parts", label: "Parts a month", most: LARGEST },
  { name: "defective", label: "Defective parts among 1,000", most: 1000 },
  { name: "currency", label: "Currency", text: true },
];

// A number as people type it: with a point or a comma; null for anything else.
export function readNumber(text) {
  const plain = text.replace(/[\s']/g, "").replace(/^(\d{1,3})((?:,\d{3})+)(?=\.|$)/, (whole, head, rest) => head + rest.replace(/,/g, ""));
  return /^\d+([.,]\d+)?$/.test(plain) ? Number(plain.replace(",", ".")) : null;
}

export function costsOf(address) {
  const parts = address.searchParams.get("costs")?.split(";");
  if (parts?.length !== COSTS.length) return null;
  const found = Object.fromEntries(COSTS.map(({ name, text }, at) => [name, text ? parts[at].slice(0, 8) : readNumber(parts[at])]));
  return COSTS.every(({ name, text, most }) => text || (found[name] !== null && found[name] <= most)) ? found : null;
}

export function storeCosts(costs) {
  const here = new URL(location.href);
  if (costs) here.searchParams.set("costs", COSTS.map(({ name }) => costs[name]).join(";"));
  else here.searchParams.delete("costs");
  history.replaceState(history.state, "", here);
}

// What escapes and false rejects cost a month, each null where it is not known; the interval takes both rates at the
// ends of theirs, so that it is rather too wide than too narrow.
export function monthOf({ escape, reject, parts, defective }, { escapes, falseRejects }) {
  const bad = (parts * defective) / 1000;
  const of = (number, price, { rate, interval }) => (rate === null ? null
    : { value: number * price * rate, interval: interval && interval.map((end) => number * price * end) });
  const found = { escapes: of(bad, escape, escapes), falseRejects: of(parts - bad, reject, falseRejects) };
  const both = [found.escapes, found.falseRejects];
  const total = both.every(Boolean) ? { value: both[0].value + both[1].value,
    interval: both.every(({ interval }) => interval) ? [0, 1].map((end) => both[0].interval[end] + both[1].interval[end]) : null } : null;
  return { ...found, total };
}

export function moneyWords(costs, month) {
  if (!costs) return [];
  const { total, escapes, falseRejects } = month;
  const shown = total ?? falseRejects ?? escapes;
  if (!shown) return [el("p", { class: "mute", text: "Without a known share of errors there is no sum." })];
  const what = total ? "Escapes and false rejects cost" : falseRejects ? "False rejects alone cost" : "Escapes alone cost";
  const range = shown.interval ? `between ${amount(shown.interval[0])} and ${amount(shown.interval[1])} ${costs.currency}` : "no interval";
  const split = total ? `: escapes ${amount(escapes.value)}, false rejects ${amount(falseRejects.value)}` : "";
  return [el("p", {}, `${what} `, el("b", { class: "num", text: `${amount(shown.value)} ${costs.currency}` }), " a month, ", el("span", { class: "num", text: range })),
    el("p", { class: "mute show-small num", text: `At ${costs.parts.toLocaleString("en")} parts a month, ${costs.defective.toLocaleString("en")} of 1,000 defective${split}.` })];
}

// Two digits are all that such an estimate carries; small sums keep their cents.
function amount(value) {
  if (value < 100) return value.toLocaleString("en", { maximumFractionDigits: 2 });
  const step = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 2);
  return (Math.round(value / step) * step).toLocaleString("en", { maximumFractionDigits: 0 });
}
