// Two runs side by side: the difference in words and drawn, the tables, and the questions on which they differ.
import { get } from "../api.js";
import { h, percent, replace } from "../dom.js";
import { paging } from "../paging.js";
import { tableOf } from "../table.js";
import { runLink } from "./words.js";

const LIMIT = 25;

export async function mountComparison(root, first, second) {
  const query = new URLSearchParams([["run", first], ["run", second]]);
  replace(root, h("p", { class: "quiet" }, h("span", { class: "busy", "aria-hidden": "true" }), " comparing …"));
  const told = await get(`api/comparison?${query}`);
  replace(root);
  root.append(h("p", {}, h("a", { href: "#/runs" }, "← All runs")),
    h("h1", {}, told.runs[0], h("span", { class: "quiet" }, " and "), told.runs[1]),
    h("p", { class: "quiet" }, `${told.test} · `, h("a", { href: runLink(first) }, told.runs[0]), " · ", h("a", { href: runLink(second) }, told.runs[1])),
    h("section", { class: "card" }, h("h2", {}, "The difference"), told.sentence && h("p", { class: "sentence" }, told.sentence), told.note && h("p", { class: "warn" }, told.note), told.difference?.interval && bar(told.difference),
      told.notes.map((note) => h("p", { class: "warn small" }, note))),
    ...told.tables.map((table) => h("section", { class: "card" }, tableOf(table))));
  const place = h("section", { class: "card stack" });
  root.append(place);
  return mountBrowser(place, query, told.runs);
}

// The interval of the difference on a line with zero in its middle.
function bar({ difference, interval, name, against }) {
  const reach = Math.max(0.05, ...interval.map(Math.abs)) * 1.15;
  const at = (value) => 50 + (50 * value) / reach;
  const whisker = h("span", { class: "whisker" }), dot = h("span", { class: "dot" });
  Object.assign(whisker.style, { left: `${at(interval[0])}%`, width: `${at(interval[1]) - at(interval[0])}%` });
  dot.style.left = `${at(difference)}%`;
  return h("div", { class: "difference", "aria-hidden": "true" }, h("span", { class: "quiet small" }, `${against} better`), h("div", { class: "line" }, h("span", { class: "zero" }), whisker, dot), h("span", { class: "quiet small" }, `${name} better`));
}

function mountBrowser(root, query, runs) {
  const kinds = [["", "All"], ["both_right", "Both right"], ["only_first", `Only ${runs[0]} right`], ["only_second", `Only ${runs[1]} right`], ["both_wrong", "Both wrong"]];
  const wanted = { outcome: "only_first", answer_type: "", search: "", offset: 0 };
  const chips = h("div", { class: "row", role: "group", "aria-label": "Which questions" });
  const types = h("select", { "aria-label": "Answer type" }, h("option", { value: "" }, "Open and closed"), h("option", { value: "OPEN" }, "Open"), h("option", { value: "CLOSED" }, "Closed"));
  const search = h("input", { type: "search", placeholder: "Words in question or answers", "aria-label": "Search questions" });
  const list = h("ol", { class: "questions" });
  const pages = h("div", { class: "row", role: "status" });
  root.append(h("h2", {}, "Question by question"), chips, h("div", { class: "row" }, types, search), list, pages);
  let asking = null;

  async function show(changes = {}) {
    Object.assign(wanted, { offset: 0, ...changes });
    asking?.abort();
    const mine = asking = new AbortController();
    const all = new URLSearchParams(query);
    for (const [key, value] of Object.entries({ ...wanted, limit: LIMIT })) if (value !== "") all.append(key, value);
    const found = await get(`api/disagreements?${all}`, mine.signal);
    const total = Object.values(found.counts).reduce((sum, count) => sum + count, 0);
    replace(chips, kinds.map(([key, label]) => h("button", { type: "button", class: "chip", "aria-pressed": String(wanted.outcome === key), onclick: () => tell({ outcome: key }) }, `${label} `, h("span", { class: "quiet number" }, (key ? found.counts[key] : total).toLocaleString("en")))));
    replace(list, found.questions.map((one) => item(one, runs)));
    paging(pages, { offset: wanted.offset, limit: LIMIT, total: found.total, go: (offset) => tell({ offset }) });
  }

  const tell = (changes) => show(changes).catch((error) => {
    if (error.name !== "AbortError") replace(list, h("li", { class: "error", role: "alert" }, error.message));
  });
  types.addEventListener("change", () => tell({ answer_type: types.value }));
  search.addEventListener("input", () => tell({ search: search.value.trim() }));
  tell();
  return () => asking?.abort();
}

function item(one, runs) {
  return h("li", {},
    one.picture ? h("img", { src: one.picture, alt: `Picture ${one.image}`, loading: "lazy" }) : h("div", { class: "no-picture quiet small" }, "no picture kept"),
    h("div", {},
      h("p", { class: "asked" }, one.question, h("span", { class: "quiet small" }, ` ${[one.question_type, one.answer_type.toLowerCase()].filter(Boolean).join(" · ")}`)),
      h("p", { class: "small" }, h("span", { class: "quiet" }, "Stored answer "), one.gold || "(nothing)"),
      h("dl", { class: "answers" }, one.answers.map((answer, place) => [h("dt", { class: "quiet small" }, runs[place]), h("dd", {}, h("span", { class: answer.right ? "good" : "bad" }, answer.right ? "✓ " : "✗ ", h("span", { class: "only-read" }, answer.right ? "right: " : "wrong: "), answer.answer || "(nothing)"), answer.confidence !== null && h("span", { class: "quiet small number" }, ` ${percent(answer.confidence, 0)}`))]))));
}
