// How a training goes, drawn as SVG: loss above, accuracy below, over steps or epochs, with the stages behind.
import { h, percent, replace } from "../dom.js";

const HIGH = 220, LEFT = 40, RIGHT = 12, TOP = 22, FOOT = 26, GAP = 16, TWO = 976; // from this width on two panels lie side by side
const PANELS = [
  { title: "Loss", lines: [["steps", "loss", "between looks", "faint"], ["points", "train_loss", "training", "train"], ["points", "val_loss", "selection split", "val"]], written: (value) => (value < 10 ? value.toPrecision(3) : value.toFixed(1)) },
  { title: "Accuracy", lines: [["points", "train_accuracy", "training", "train"], ["points", "val_accuracy", "selection split", "val"]], share: true, written: (value) => percent(value) },
];

function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

export function drawCurve(root, told) {
  if (!told.points.length && !told.steps.length) {
    replace(root, h("p", { class: "quiet" }, "Nothing was measured yet."));
    return;
  }
  const last = Math.max(1, ...told.points.map((point) => point.x), ...told.steps.map((point) => point.x));
  const room = root.clientWidth || 640;
  const wide = Math.max(260, room >= TWO ? (room - GAP) / 2 : room); // drawn as large as it is shown, so that its letters are
  replace(root, PANELS.map((panel) => drawPanel(panel, told, last, wide)), tableOf(told));
}

function drawPanel(panel, told, last, wide) {
  const lines = panel.lines.map(([from, key, label, kind]) => ({ label, kind, points: told[from].filter((point) => point[key] !== null && point[key] !== undefined).map((point) => [point.x, point[key], point.best]) })).filter((line) => line.points.length);
  if (!lines.length) return null;
  const values = lines.flatMap((line) => line.points.map(([, y]) => y));
  const low = panel.share ? 0 : Math.min(0, ...values);
  const high = panel.share ? 1 : ceiling(values);
  const x = (value) => LEFT + ((wide - LEFT - RIGHT) * value) / last;
  const y = (value) => TOP + (HIGH - TOP - FOOT) * (1 - (Math.min(value, high) - low) / (high - low || 1));
  const best = lines.at(-1);
  const said = `${panel.title} ${lines.map((line) => `${line.label}: last ${panel.written(line.points.at(-1)[1])}`).join("; ")}`;
  return h("figure", { class: "curve" },
    h("figcaption", { class: "row" }, h("strong", {}, panel.title), lines.map((line) => h("span", { class: `key ${line.kind} small` }, `${line.label} ${panel.written(line.points.at(-1)[1])}`))),
    s("svg", { viewBox: `0 0 ${wide} ${HIGH}`, role: "img", "aria-label": said },
      told.stages.map((stage, place) => s("g", { class: place % 2 ? "stage odd" : "stage" }, s("rect", { x: x(stage.begins), y: TOP, width: Math.max(0, x(stage.ends) - x(stage.begins)), height: HIGH - TOP - FOOT }), s("text", { x: x(stage.begins) + 4, y: TOP - 7 }, x(stage.ends) - x(stage.begins) > 8 * stage.name.length ? stage.name : ""))),
      ticks(low, high).map((value) => s("g", { class: "grid" }, s("line", { x1: LEFT, x2: wide - RIGHT, y1: y(value), y2: y(value) }), s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, panel.share ? `${Math.round(100 * value)}` : String(Number(value.toPrecision(2)))))),
      ticks(0, last).filter((value) => Number.isInteger(value) && value > 0).map((value) => s("text", { class: "axis", x: x(value), y: HIGH - 8, "text-anchor": "middle" }, value.toLocaleString("en"))),
      s("text", { class: "axis", x: LEFT, y: HIGH - 8 }, told.x),
      lines.map((line) => s("polyline", { class: `line ${line.kind}`, points: line.points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ") })),
      lines.filter((line) => line.kind !== "faint" && line.points.length < 40).map((line) => line.points.map(([at, value]) => s("circle", { class: `dot ${line.kind}`, cx: x(at).toFixed(1), cy: y(value).toFixed(1), r: 2.5 }))),
      best.points.filter(([, , is]) => is).slice(-1).map(([at, value]) => s("circle", { class: "best", cx: x(at), cy: y(value), r: 5.5 }, s("title", {}, `best look: ${panel.written(value)}`)))));
}

// A few wild first losses must not flatten the rest.
function ceiling(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const usual = sorted[Math.floor(0.98 * (sorted.length - 1))];
  return Math.max(usual * 1.1, sorted.at(-1) > 3 * usual ? 0 : sorted.at(-1)) || 1;
}

function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high * 1.0001; value += step) found.push(Number(value.toPrecision(8)));
  return found;
}

function tableOf(told) {
  const columns = [["train_loss", "Training loss", 4], ["val_loss", "Selection loss", 4], ["train_accuracy", "Training accuracy"], ["val_accuracy", "Selection accuracy"], ["val_token_f1", "Selection token-F1"]].filter(([key]) => told.points.some((point) => point[key] !== null));
  if (!told.points.length) return null;
  const staged = told.points.some((point) => point.stage) && told.stages.length > 0;
  const written = (value, digits) => (value === null ? "–" : digits ? value.toFixed(digits) : percent(value));
  return h("details", {}, h("summary", {}, `The same as a table, ${told.points.length} looks`),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Looks at the selection split" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, told.x), staged && h("th", { scope: "col" }, "stage"), columns.map(([, name]) => h("th", { scope: "col", class: "right" }, name)), h("th", { scope: "col" }, "Best"))),
      h("tbody", {}, told.points.map((point) => h("tr", {}, h("th", { scope: "row" }, point.x.toLocaleString("en")), staged && h("td", {}, point.stage), columns.map(([key, , digits]) => h("td", { class: "right" }, written(point[key], digits))), h("td", {}, point.best ? "✓" : "")))))));
}
