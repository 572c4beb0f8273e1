// Words shaded by weight: the more a word weighs, the stronger its ground; the number stands in its title.
import { h } from "../dom.js";

const tidy = (text) => text.replace(/\s+/g, " ").trim() || "␣";

export function shaded(words, label) {
  const most = Math.max(...words.map((word) => word.weight), 0);
  return h("p", { class: "words", role: "list", "aria-label": label }, words.map((word) => {
    const share = most > 0 ? word.weight / most : 0;
    const one = h("span", { class: "word", role: "listitem", title: `${tidy(word.text)}: ${word.weight.toPrecision(3)}` }, tidy(word.text), h("span", { class: "only-read" }, ` ${Math.round(100 * share)} %`));
    one.style.setProperty("--share", `${Math.round(70 * share)}%`);
    return one;
  }));
}

// The answer's words, one of which may be chosen; `onChoose(null)` is the whole answer.
export function answerStrip(tokens, chosen, onChoose) {
  if (tokens.filter((token) => !token.end).length < 2) return null;
  const button = (text, token, name) => h("button", { type: "button", class: "chip token", "aria-pressed": String(token === chosen), "aria-label": name, onclick: () => onChoose(token) }, text);
  return h("div", { class: "row strip", role: "group", "aria-label": "Map of the whole answer, or of one of its words" },
    button("Whole answer", null, "The whole answer"),
    tokens.map((token, place) => button(token.end ? "end" : tidy(token.text), place, token.end ? "The end of the answer" : `Word ${place + 1}: ${tidy(token.text)}`)));
}

// Words with a bar each, the largest first; at most `most` of them. Bars are as long as the largest value, `full` at least.
export function listed(rows, full, most = 12) {
  const top = Math.max(...rows.map((row) => Math.abs(row.value)), full);
  return h("ol", { class: "moved" }, [...rows].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, most).map((row) => {
    const bar = h("span", { class: row.value < 0 ? "moved-bar against" : "moved-bar" });
    bar.style.inlineSize = `${(100 * Math.abs(row.value)) / top}%`;
    return h("li", {}, h("span", { class: "moved-word" }, tidy(row.text)), h("span", { class: "moved-track", "aria-hidden": "true" }, bar), h("span", { class: "number small" }, row.said));
  }));
}
