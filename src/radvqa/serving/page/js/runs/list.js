// All runs: their state and score; two of them are chosen to be compared.
import { get } from "../api.js";
import { h, replace } from "../dom.js";
import { ago, runLink, running, scoreOf, stateOf, when } from "./words.js";

const EVERY = 5000; // milliseconds between looks while something trains
const chosen = []; // names, in the order in which they were ticked; kept while the page is open

export async function mountList(root) {
  const search = h("input", { type: "search", placeholder: "Name, family or data set", "aria-label": "Filter runs" });
  const state = h("select", { "aria-label": "State" }, ["all", "training", "finished", "scored"].map((name) => h("option", { value: name }, name === "all" ? "All runs" : name[0].toUpperCase() + name.slice(1))));
  const compare = h("button", { type: "button", class: "main", disabled: true }, "Compare two runs");
  const told = h("p", { class: "quiet small", role: "status" });
  const body = h("tbody");
  root.append(h("h1", {}, "Runs"), h("div", { class: "row tools" }, search, state, h("span", { class: "grow" }), compare), told,
    h("div", { class: "card scroll" }, h("table", { class: "runs" },
      h("thead", {}, h("tr", {}, ["", "Run", "State", "Accuracy, 95 % interval", "Data", "Ended"].map((name) => h("th", { scope: "col" }, name)))), body)));
  let runs = [];
  let over = false;
  let timer = null;

  function fits(run) {
    const text = `${run.name} ${run.family} ${run.title} ${run.data}`.toLowerCase();
    const wanted = { all: true, training: run.state === "training", finished: run.state === "finished", scored: Boolean(run.score) }[state.value];
    return wanted && search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  function tick(name, on) {
    if (on) chosen.push(name);
    else chosen.splice(chosen.indexOf(name), 1);
    if (chosen.length > 2) chosen.shift();
    show();
    body.querySelector(`input[value="${CSS.escape(name)}"]`)?.focus();
  }

  function row(run) {
    const box = h("input", { type: "checkbox", value: run.name, checked: chosen.includes(run.name), disabled: !run.score, "aria-label": `Compare ${run.name}` });
    box.addEventListener("change", () => tick(run.name, box.checked));
    return h("tr", {},
      h("td", { class: "tick" }, box),
      h("th", { scope: "row" }, h("a", { href: runLink(run.name) }, run.name), h("span", { class: "quiet small block" }, run.family)),
      h("td", {}, stateOf(run), run.state === "training" && h("span", { class: "quiet small block" }, `written ${ago(run.quiet_seconds)}`)),
      h("td", {}, scoreOf(run.score)),
      h("td", { class: "quiet" }, run.data),
      h("td", { class: "quiet number" }, when(run.ended)));
  }

  function show() {
    for (const name of [...chosen]) if (!runs.some((run) => run.name === name && run.score)) chosen.splice(chosen.indexOf(name), 1);
    const found = runs.filter(fits);
    replace(body, found.map(row));
    told.textContent = runs.length ? `${found.length} of ${runs.length} runs${chosen.length ? ` · chosen: ${chosen.join(" and ")}` : " · tick two that are scored to compare them"}` : "There are no runs here yet; `radvqa train` makes one, and `radvqa serve --runs FOLDER` says where they are.";
    compare.disabled = chosen.length !== 2;
  }

  async function look() {
    ({ runs } = await get("api/runs"));
    if (over) return;
    show();
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (!over && runs.some(running)) timer = setTimeout(() => look().catch(plan), EVERY);
  }

  search.addEventListener("input", show);
  state.addEventListener("change", show);
  compare.addEventListener("click", () => {
    location.hash = `#/runs/compare/${chosen.map(encodeURIComponent).join("/")}`;
  });
  await look();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
