// Compare: one picture and one question, two models or more side by side; the panel of it all, to keep.
import { AnswerCard } from "../answers/card.js";
import { askModels } from "../answers/asking.js";
import { postBytes, stopped } from "../api.js";
import { h, replace, shownError, stylesheet } from "../dom.js";
import { mountJudging } from "../judge/judging.js";
import { SmallMap } from "../see/small.js";
import { state } from "../state.js";
import { mountPicking } from "../viewer/picking.js";
import { Viewer } from "../viewer/viewer.js";
import { agreement } from "./agreement.js";

export const title = "Compare";

export function mount(root) {
  stylesheet("ask");
  stylesheet("compare");
  const picking = h("div", {});
  const stage = h("div", { hidden: true });
  const field = h("textarea", { id: "compared-question", rows: 2, maxlength: 2000, placeholder: "What modality is used to take this image?" });
  const models = h("fieldset", { class: "models" });
  const send = h("button", { class: "main", type: "submit" }, "Compare");
  const cancel = h("button", { type: "button", hidden: true }, "Cancel");
  const hint = h("p", { class: "quiet small" });
  const form = h("form", { class: "card stack" }, h("div", { class: "stack tight" }, h("label", { for: "compared-question" }, "Question"), field), models, h("div", { class: "row" }, send, cancel), hint);
  const said = h("div", { "aria-live": "polite" });
  const cardsPlace = h("div", { class: "compared" });
  const panelPlace = h("div", {});
  root.append(h("h1", { class: "only-read" }, "Compare models"),
    h("div", { class: "compare" },
      h("div", { class: "compare-asked" }, h("section", { class: "stack", "aria-label": "Picture" }, picking, stage), h("section", { class: "stack", "aria-label": "Question and models" }, form)),
      said, cardsPlace, panelPlace,
      h("p", { class: "quiet small" }, "Whole test sets are compared question by question under ", h("a", { href: "#/runs" }, "Runs"), ", where the questions on which runs disagree can be browsed.")));

  const viewer = new Viewer(stage);
  const chosen = new Set(state.chosen.length > 1 ? state.chosen : state.models.slice(0, 4).map((one) => one.name));
  let running = null;
  let making = null;

  async function show(picture) {
    stop();
    const view = picture === state.picture ? state.view : {};
    if (picture !== state.picture) state.set({ picture, view: {}, answers: new Map() });
    stage.hidden = false;
    root.querySelector(".compare").classList.add("with-picture");
    await viewer.show(picture);
    if (Object.keys(view).length) await viewer.change(view); // the slice and window that were asked about
    if (picture.truth && picture.truth.question !== field.value) field.value = picture.truth.question;
    ready();
  }

  function stop() {
    running?.abort();
    making?.abort();
    replace(said);
    replace(cardsPlace);
    replace(panelPlace);
  }

  function ready() {
    send.disabled = !state.picture || !field.value.trim() || chosen.size === 0;
    hint.textContent = state.models.length < 2
      ? "Only one model is offered; start the service with --model twice or more to compare."
      : !state.picture ? "Choose a picture first." : chosen.size < 2 ? "Choose at least two models." : "";
    hint.hidden = !hint.textContent;
  }

  function offer() {
    replace(models, h("legend", {}, "Models"), state.models.map((one) => {
      const box = h("input", { type: "checkbox", value: one.name, checked: chosen.has(one.name), onchange: () => {
        if (box.checked) chosen.add(one.name);
        else chosen.delete(one.name);
        ready();
      } });
      return h("label", { class: "model" }, box, ` ${one.name} `, h("span", { class: "quiet small" }, one.family === one.name ? "" : one.family));
    }));
  }

  async function ask(event) {
    event?.preventDefault();
    if (send.disabled) return;
    stop();
    const mine = (running = new AbortController());
    const names = state.models.map((one) => one.name).filter((name) => chosen.has(name));
    const about = { picture: state.picture.id, view: viewer.view, question: field.value.trim() };
    state.set({ question: about.question, answers: new Map(), view: viewer.view });
    const cards = new Map(names.map((name) => [name, new AnswerCard(name)]));
    replace(cardsPlace, [...cards.values()].map((card) => card.element));
    for (const card of cards.values()) card.progress("asking");
    cancel.hidden = false;
    await askModels(about.question, about.view, cards, mine.signal);
    if (mine !== running) return;
    running = null;
    cancel.hidden = true;
    told(names, cards, about);
  }

  function told(names, cards, about) {
    const given = names.filter((name) => state.answers.has(name)).map((name) => ({ model: name, ...state.answers.get(name) }));
    const truth = state.picture.truth?.question.trim() === about.question ? state.picture.truth.answer : "";
    replace(said, given.length > 0 && h("p", { class: "agreement" }, agreement(given)), truth && h("p", { class: "truth" }, h("span", { class: "quiet" }, "The data set says: "), h("strong", {}, truth)));
    for (const { model, ...answer } of given) {
      const judging = h("div", {});
      cards.get(model).under.append(new SmallMap({ ...about, model }, state.picture).element, judging);
      mountJudging(judging, { ...about, answer, picture: state.picture, model });
    }
    if (given.length > 0) offerPanel(names.filter((name) => state.answers.has(name)), about);
  }

  function offerPanel(names, about) {
    const place = h("div", {});
    const make = h("button", { type: "button", onclick: () => panel(names, about, make, place) }, "Make the panel");
    replace(panelPlace, h("section", { class: "card stack", "aria-label": "Panel" }, h("div", {}, h("h2", {}, "Panel to keep"), h("p", { class: "quiet small" }, "Picture, question, truth and answers in one PNG; ticks and crosses only where the truth is known.")), h("div", { class: "row" }, make), place));
  }

  async function panel(names, about, make, place) {
    making?.abort();
    const mine = (making = new AbortController());
    make.disabled = true;
    replace(place, h("p", { class: "quiet" }, h("span", { class: "busy", "aria-hidden": "true" }), " Drawing …"));
    try {
      const content = await (await postBytes("api/panel", { ...about, models: names }, mine.signal)).blob();
      const address = URL.createObjectURL(content);
      mine.signal.addEventListener("abort", () => URL.revokeObjectURL(address));
      replace(place, h("img", { class: "panel", src: address, alt: `The panel: ${about.question}` }), h("p", {}, h("a", { class: "button", href: address, download: "panel.png" }, "Download the PNG")));
    } catch (error) {
      if (!stopped(error)) replace(place, shownError(error));
    } finally {
      make.disabled = false;
    }
  }

  field.addEventListener("input", ready);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) ask(event);
  });
  form.addEventListener("submit", ask);
  cancel.addEventListener("click", () => running?.abort());
  offer();
  const left = mountPicking(picking, { onPicture: show });
  field.value = state.question;
  ready();
  if (state.picture) show(state.picture);
  return () => {
    stop();
    left?.();
  };
}
