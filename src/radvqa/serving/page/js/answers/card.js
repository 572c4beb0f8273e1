// One model's answer: filled as events come, from "loading the model" to the last word.
import { h, percent, replace } from "../dom.js";

export class AnswerCard {
  constructor(model) {
    this.model = model;
    this.body = h("div", { class: "answer-body" });
    this.under = h("div", { class: "answer-under" });
    this.element = h("article", { class: "card answer", "aria-label": `Answer of ${model}` }, h("p", { class: "quiet small answer-model" }, model), this.body, this.under);
  }

  progress(text) {
    replace(this.body, h("p", { class: "quiet" }, h("span", { class: "busy", "aria-hidden": "true" }), ` ${text} …`));
  }

  token(text) {
    replace(this.body, h("p", { class: "answer-text writing" }, text));
  }

  refused(error) {
    replace(this.body, h("p", { class: "error", role: "alert" }, error));
  }

  stopped() {
    replace(this.body, h("p", { class: "quiet" }, "Stopped. Ask again when you like."));
  }

  answer(said) {
    const [best, ...others] = said.candidates.length ? said.candidates : [{ answer: said.answer, probability: said.confidence }];
    const abstains = said.answer === null;
    replace(
      this.body,
      abstains
        ? [h("p", { class: "answer-text abstains" }, "No answer"), h("p", {}, said.abstained), best.answer && h("p", { class: "quiet small" }, `Its best guess, not to be relied on: ${best.answer} (${percent(best.probability)})`)]
        : h("p", { class: "answer-text" }, said.answer || "(says nothing)"),
      !abstains && said.confidence !== null && bar("Confidence", said.confidence, "confidence"),
      !abstains && said.confidence === null && h("p", { class: "quiet small" }, "This model tells no confidence."),
      !abstains && others.length > 0 &&
        h("details", { open: true }, h("summary", {}, "Next candidates"), h("div", { class: "candidates" }, others.slice(0, 4).map((one) => bar(one.answer, one.probability)))),
      h("p", { class: "quiet small number" }, `${seconds(said.seconds)} · ${said.notice}`),
    );
  }
}

const seconds = (value) => (value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(1)} s`);

function bar(label, share, kind = "") {
  const meter = h("meter", { min: 0, max: 1, value: share, "aria-label": `${label}: ${percent(share)}` });
  return h("div", { class: `bar ${kind}` }, h("span", { class: "bar-label" }, label), meter, h("span", { class: "number" }, percent(share)));
}
