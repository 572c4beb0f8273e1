// One run: its curve while it trains, its scores, what it cost, what it was made from.
import { get } from "../api.js";
import { h, percent, replace } from "../dom.js";
import { tableOf } from "../table.js";
import { drawCurve } from "./curve.js";
import { ago, limits, stateOf, when, whole } from "./words.js";

const EVERY = 2000; // milliseconds between looks at a training
const METRICS = { accuracy: "Accuracy", top5: "Top-5", macro_f1: "Macro-F1", token_f1: "Token-F1" };

export async function mountRun(root, name) {
  const place = encodeURIComponent(name).replaceAll("%2F", "/");
  const head = h("div", { class: "run-head" }, h("h1", {}, name), h("p", { class: "quiet" }, h("span", { class: "busy", "aria-hidden": "true" }), " reading …"));
  const curve = h("div", { class: "curves" });
  const live = h("p", { class: "quiet small", role: "status" });
  const rest = h("div", { class: "stack" });
  root.append(h("p", {}, h("a", { href: "#/runs" }, "← All runs")), head, h("section", { class: "card" }, h("h2", {}, "Training"), live, curve), rest);
  let over = false;
  let timer = null;
  let drawn = "";

  async function tell() {
    const run = await get(`api/runs/${place}`);
    if (over) return run;
    replace(head, h("h1", {}, name), h("p", { class: "row facts" }, stateOf(run), [run.title, run.family, run.data, run.seed !== null && `seed ${run.seed}`, run.started && `began ${when(run.started)}`, run.ended && `ended ${when(run.ended)}`].filter(Boolean).map((fact) => h("span", { class: "quiet" }, fact))),
      run.problem && h("p", { class: "error" }, run.problem));
    replace(rest, scores(run), run.tables.map((table) => h("section", { class: "card" }, tableOf(table))), texts(run));
    return run;
  }

  async function look() {
    const told = await get(`api/runs/${place}/history`);
    if (over) return;
    const now = JSON.stringify(told);
    if (now !== drawn) {
      const open = curve.querySelector("details")?.open;
      drawCurve(curve, told);
      if (open) curve.querySelector("details").open = true;
      live.textContent = told.state === "training" ? `Looked at every 2 s · ${told.points.length} looks at the selection split so far` : `${told.points.length} looks at the selection split`;
      curve.dataset.looks = told.points.length;
    }
    const ended = drawn && JSON.parse(drawn).state === "training" && told.state === "finished";
    drawn = now;
    if (ended) await tell();
    if (told.state === "training") plan();
  }

  function plan() {
    clearTimeout(timer);
    if (!over) timer = setTimeout(() => look().catch(() => {
      live.textContent = "The service does not answer; trying again.";
      drawn = "";
      plan();
    }), EVERY);
  }

  const run = await tell();
  await look();
  if (run.state === "training" && run.quiet_seconds > 900) live.textContent += ` · last written ${ago(run.quiet_seconds)}`;
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

function scores(run) {
  if (!run.scores.length) return h("section", { class: "card" }, h("h2", {}, "Scores"), h("p", { class: "quiet" }, "Not scored yet: `radvqa predict RUN`, then `radvqa score RUN`."));
  return run.scores.map((one) => {
    const metrics = Object.keys(METRICS).filter((key) => one.subsets.some((subset) => subset.metrics[key]));
    return h("section", { class: "card" }, h("h2", {}, `Scores on ${one.dataset} ${one.split}`),
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Scores on ${one.dataset} ${one.split}` }, h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Questions"), metrics.map((key) => h("th", { scope: "col" }, METRICS[key])), h("th", { scope: "col", class: "right" }, "n"))),
        h("tbody", {}, one.subsets.map((subset) => h("tr", {}, h("th", { scope: "row" }, subset.subset === "overall" ? "all" : subset.subset),
          metrics.map((key) => h("td", {}, subset.metrics[key] ? [percent(subset.metrics[key].value), " ", h("span", { class: "quiet small" }, limits(subset.metrics[key].interval))] : "–")),
          h("td", { class: "right" }, whole(subset.questions))))))),
      h("p", { class: "quiet small" }, [one.interval && `In brackets: ${one.interval}, by ${one.clustered_by}`, ...one.notes].filter(Boolean).join(". ")));
  });
}

function texts(run) {
  return h("section", { class: "card stack" }, h("h2", {}, "What it was made from"),
    [["Recipe", run.recipe], ["Model card", run.card], ["Provenance", run.provenance.text]].filter(([, text]) => text).map(([title, text]) => h("details", {}, h("summary", {}, title), h("pre", { tabindex: 0 }, text))),
    h("p", { class: "quiet small" }, "Digest of the provenance: ", h("code", {}, run.provenance.digest.slice(0, 16))));
}
