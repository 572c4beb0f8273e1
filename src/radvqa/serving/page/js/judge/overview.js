// What was judged: the summary, the review sheets, and every judgement with a filter and files to take along.
import { get } from "../api.js";
import { h, percent, replace } from "../dom.js";
import { paging } from "../paging.js";
import { nameField } from "./reader.js";

const LIMIT = 25;
const limits = (interval) => (interval ? ` [${interval.map((limit) => (100 * limit).toFixed(1)).join(", ")}]` : "");
const kappa = (value) => (value === null ? "–" : value.toFixed(2));
const whole = (value) => value.toLocaleString("en");

export async function mountOverview(root) {
  const [summed, { sheets }] = await Promise.all([get("api/judgements/summary"), get("api/sheets")]);
  root.append(
    h("div", { class: "row" }, h("h1", { class: "grow" }, "Judge"), h("label", { class: "row" }, "You are", nameField())),
    h("section", { class: "card stack" }, h("h2", {}, "Review sheets"), shownSheets(sheets)),
    h("section", { class: "card stack" }, h("h2", {}, "Judged answers"), shownSummary(summed)),
  );
  if (summed.judgements) mountList(root, summed);
}

function shownSheets(sheets) {
  if (!sheets.length) return h("p", { class: "quiet" }, "No run has a review sheet yet; `radvqa diagnose RUN` makes one of the answers that an expert should look at.");
  return h("ul", { class: "sheets" }, sheets.map((sheet) => {
    const place = ["sheet", sheet.run, sheet.data, sheet.split].map(encodeURIComponent).join("/");
    const agreed = sheet.summary?.agreement ?? [];
    return h("li", {}, h("div", { class: "grow" }, h("a", { href: `#/judge/${place}` }, sheet.run), h("span", { class: "quiet small block" }, `${sheet.data} ${sheet.split}`)),
      h("div", { class: "amount" }, h("progress", { max: sheet.rows, value: sheet.judged, "aria-label": `Judged of ${sheet.run}` }), h("span", { class: "small number quiet" }, `${sheet.judged} of ${sheet.rows} judged`)),
      h("p", { class: "small quiet" }, [...Object.entries(sheet.reviewers).map(([name, count]) => `${name} ${count}`), ...agreed.map((one) => `${one.reviewers.join(" and ")}: kappa ${kappa(one.kappa)}`), sheet.summary && `accuracy ${percent(sheet.summary.accuracy)}, corrected ${percent(sheet.summary.corrected)}`].filter(Boolean).join(" · ")));
  }));
}

function shownSummary(summed) {
  if (!summed.judgements) return h("p", { class: "quiet" }, "Nobody has judged an answer yet. Under every answer of Ask and Compare you can say whether it is right.");
  const columns = ["Model", "Judgements", "Right", "Wrong", "Unsure", "Held right", "As the automatic score"];
  return [
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Judgements by model" }, h("table", {},
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, summed.models.map((one) => h("tr", {}, h("th", { scope: "row" }, one.model), [one.judgements, one.right, one.wrong, one.unsure].map((value) => h("td", {}, whole(value))),
        h("td", {}, percent(one.share), h("span", { class: "quiet small" }, limits(one.interval)), h("span", { class: "quiet small" }, one.answers ? ` of ${whole(one.answers)}` : "")),
        h("td", {}, one.automatic ? [percent(one.automatic.same), h("span", { class: "quiet small" }, ` of ${whole(one.automatic.judgements)} · kappa ${kappa(one.automatic.kappa)} · reader alone says right ${one.automatic.reader_only}, score alone ${one.automatic.score_only}`)] : "–")))))),
    summed.agreement.length > 0 && h("div", {}, h("h3", {}, "Readers on the same answers"), h("table", { class: "narrow" },
      h("thead", {}, h("tr", {}, ["Readers", "Answers", "Same verdict", "Kappa"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, summed.agreement.map((one) => h("tr", {}, h("th", { scope: "row" }, one.reviewers.join(" and ")), h("td", {}, whole(one.pairs)), h("td", {}, percent(one.same)), h("td", {}, kappa(one.kappa))))))),
    h("p", { class: "quiet small" }, "Held right: of the answers that somebody holds right or wrong; where readers differ an answer counts in part. In brackets the 95 % bootstrap interval over pictures, none where all are held alike. Kappa: agreement beyond chance. Readers choose what they ask, so the shares say nothing about other questions."),
  ].filter(Boolean);
}

function mountList(root, summed) {
  const select = (label, values, name) => {
    const field = h("select", { "aria-label": label }, h("option", { value: "" }, label), values.map((value) => h("option", { value }, value)));
    field.addEventListener("change", () => show({ [name]: field.value }));
    return field;
  };
  const search = h("input", { type: "search", placeholder: "Words in question, answer or comment", "aria-label": "Search judgements" });
  search.addEventListener("input", () => show({ search: search.value.trim() }));
  const old = h("input", { type: "checkbox" });
  old.addEventListener("change", () => show({ replaced: old.checked ? "true" : "" }));
  const list = h("ol", { class: "said" });
  const pages = h("div", { class: "row", role: "status" });
  const files = h("div", { class: "row" });
  root.append(h("section", { class: "card stack" }, h("div", { class: "row" }, h("h2", { class: "grow" }, "Every judgement"), files),
    h("div", { class: "row" }, select("All models", summed.models.map((one) => one.model), "model"), select("All readers", Object.keys(summed.readers), "reader"), select("All verdicts", ["right", "wrong", "unsure"], "verdict"), search, h("label", {}, old, " with replaced ones")), list, pages));
  const wanted = { offset: 0 };
  let asking = null;

  async function show(changes = {}) {
    Object.assign(wanted, { offset: 0, ...changes });
    asking?.abort();
    const mine = asking = new AbortController();
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ""));
    const chosen = new URLSearchParams([...query].filter(([key]) => key !== "offset"));
    replace(files, ["csv", "jsonl"].map((kind) => h("a", { class: "button", href: `api/judgements.${kind}?${chosen}`, download: `judgements.${kind}` }, kind === "csv" ? "Save as CSV" : "Save as JSON lines")));
    try {
      const found = await get(`api/judgements?${query}&limit=${LIMIT}`, mine.signal);
      replace(list, found.judgements.map(item));
      paging(pages, { offset: wanted.offset, limit: LIMIT, total: found.total, go: (offset) => show({ offset }) });
    } catch (error) {
      if (error.name !== "AbortError") replace(list, h("li", { class: "error", role: "alert" }, error.message));
    }
  }
  show();
}

const MARKS = { right: ["good", "✓ Right"], wrong: ["bad", "✗ Wrong"], unsure: ["warn", "? Unsure"] };

function item(one) {
  const [kind, label] = MARKS[one.verdict];
  return h("li", { class: one.replaced ? "replaced" : "" },
    h("strong", { class: kind }, label),
    h("div", {}, h("p", { class: "asked" }, one.question), h("p", {}, h("span", { class: "quiet small" }, `${one.model} `), one.answer ?? "(no answer)", one.confidence !== null && h("span", { class: "quiet small number" }, ` ${percent(one.confidence, 0)}`)),
      one.gold !== null && h("p", { class: "small" }, h("span", { class: "quiet" }, "Stored answer "), one.gold),
      one.better && h("p", { class: "small" }, h("span", { class: "quiet" }, "Better "), one.better),
      one.comment && h("p", { class: "small comment" }, one.comment)),
    h("p", { class: "quiet small number" }, one.reader, h("br"), new Date(1000 * one.at).toISOString().slice(0, 16).replace("T", " "), one.replaced && [h("br"), "replaced later"]));
}
