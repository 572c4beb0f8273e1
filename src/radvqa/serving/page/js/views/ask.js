// Ask: a picture, a question, an answer with its confidence; then where the model looked, and what a reader says.
import { AnswerCard } from "../answers/card.js";
import { askModels } from "../answers/asking.js";
import { h, replace, stylesheet } from "../dom.js";
import { mountJudging } from "../judge/judging.js";
import { mountSee } from "../see/see.js";
import { state } from "../state.js";
import { mountPicking } from "../viewer/picking.js";
import { Viewer } from "../viewer/viewer.js";

export const title = "Ask";

export function mount(root) {
  stylesheet("ask");
  const picking = h("div", { class: "picking" });
  const stage = h("div", { class: "stage", hidden: true });
  const facts = h("p", { class: "quiet small facts", "aria-live": "polite" });
  const suggestions = h("div", { class: "row suggestions", role: "group", "aria-label": "Suggested questions" });
  const field = h("textarea", { id: "question", rows: 2, maxlength: 2000, placeholder: "What modality is used to take this image?" });
  const send = h("button", { class: "main", type: "submit" }, "Ask");
  const cancel = h("button", { type: "button", hidden: true }, "Cancel");
  const models = h("fieldset", { class: "models" }, h("legend", {}, "Models"));
  const answers = h("div", { class: "stack answers", "aria-live": "polite" });
  const see = h("div", { class: "see-place" });
  const form = h("form", { class: "card stack" }, h("div", { class: "stack tight" }, h("label", { for: "question" }, "Question"), field), suggestions, models, h("div", { class: "row" }, send, cancel, h("span", { class: "quiet small" }, "Enter asks · Shift + Enter begins a new line")));
  root.append(h("h1", { class: "only-read" }, "Ask about a picture"), h("div", { class: "ask" }, h("section", { class: "stack left", "aria-label": "Picture" }, picking, stage, facts), h("section", { class: "stack right", "aria-label": "Question and answers" }, form, answers, see)));

  const viewer = new Viewer(stage);
  let running = null;
  let asked = null; // what the answers on the page are about

  async function show(picture) {
    running?.abort();
    if (picture !== state.picture) state.set({ picture, view: {}, answers: new Map() });
    stage.hidden = false;
    root.firstElementChild.nextElementSibling.classList.add("with-picture");
    await viewer.show(picture);
    facts.textContent = [picture.name, `${picture.width} × ${picture.height} pixels`, picture.keeps].filter(Boolean).join(" · ");
    replace(suggestions, (picture.questions ?? []).map((text) => h("button", { type: "button", class: "chip", onclick: () => suggest(text) }, text)));
    if (picture.truth && picture.truth.question !== field.value) field.value = picture.truth.question;
    forget();
    ready();
  }

  function suggest(text) {
    field.value = text;
    ready();
    form.requestSubmit();
  }

  function forget() {
    replace(answers);
    replace(see);
    viewer.overlay?.(null);
    asked = null;
  }

  function ready() {
    send.disabled = !state.picture || !field.value.trim() || state.chosen.length === 0;
  }

  function offerModels() {
    models.hidden = state.models.length < 2;
    replace(models, h("legend", {}, "Models"), state.models.map((one) => {
      const box = h("input", { type: "checkbox", value: one.name, checked: state.chosen.includes(one.name) });
      box.addEventListener("change", () => {
        state.set({ chosen: [...models.querySelectorAll("input:checked")].map((input) => input.value) });
        ready();
      });
      return h("label", { class: "model" }, box, ` ${one.name} `, h("span", { class: "quiet small" }, one.family === one.name ? "" : one.family));
    }));
  }

  async function ask(event) {
    event?.preventDefault();
    if (send.disabled) return;
    running?.abort();
    const mine = new AbortController();
    running = mine;
    forget();
    state.set({ question: field.value.trim(), answers: new Map(), view: viewer.view });
    const cards = new Map(state.chosen.map((name) => [name, new AnswerCard(name)]));
    replace(answers, [...cards.values()].map((card) => card.element));
    for (const card of cards.values()) card.progress("asking");
    cancel.hidden = false;
    asked = { picture: state.picture, question: state.question, view: viewer.view };
    await askModels(state.question, viewer.view, cards, mine.signal);
    if (running !== mine) return;
    running = null;
    cancel.hidden = true;
    told(cards);
  }

  // Under every answer a reader may judge it; of one answer at a time is shown where its model looked.
  function told(cards) {
    const given = [...cards.values()].filter((card) => state.answers.has(card.model));
    for (const card of given) {
      const answer = state.answers.get(card.model);
      const judging = h("div", { class: "judging-place" });
      const look = h("button", { type: "button", "aria-pressed": "false" }, "Where did it look?");
      look.addEventListener("click", () => {
        for (const other of answers.querySelectorAll("[aria-pressed=true]")) other.setAttribute("aria-pressed", "false");
        look.setAttribute("aria-pressed", "true");
        replace(see);
        mountSee(see, { viewer, answer, ...asked });
        see.scrollIntoView({ block: "nearest" });
      });
      card.under.append(h("div", { class: "row" }, answer.answer !== null && look), judging);
      mountJudging(judging, { answer, model: card.model, ...asked });
    }
  }

  viewer.addEventListener("view", () => state.set({ view: viewer.view }));
  field.addEventListener("input", ready);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) ask(event);
  });
  form.addEventListener("submit", ask);
  cancel.addEventListener("click", () => running?.abort());
  offerModels();
  const left = mountPicking(picking, { onPicture: show });
  field.value = state.question;
  if (state.picture) show(state.picture);
  ready();
  return () => {
    running?.abort();
    if (typeof left === "function") left();
  };
}
