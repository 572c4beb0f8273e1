// What a reader says about an answer: right, wrong or unsure by button or key; then, if wanted, a better answer and why.
import { h, stylesheet } from "../dom.js";
import { nameField, reader } from "./reader.js";
import { elsewhere, sendUntilKept, token } from "./sending.js";

const VERDICTS = [["right", "Right", "r"], ["wrong", "Wrong", "w"], ["unsure", "Unsure", "u"]];
let shown = []; // every judging on the page, in its order

class Judging {
  constructor(root, about) {
    Object.assign(this, { root, about, verdict: "", sends: 0 });
    this.buttons = VERDICTS.map(([name, label, key]) =>
      h("button", { type: "button", class: `verdict ${name}`, "aria-pressed": "false", "aria-keyshortcuts": key, onclick: () => this.say(name) }, label, " ", h("kbd", { "aria-hidden": "true" }, key.toUpperCase())));
    this.better = h("input", { maxlength: 2000, autocomplete: "off", class: "wide" });
    this.comment = h("textarea", { maxlength: 4000, rows: 2, class: "wide" });
    this.more = h("form", { class: "more", hidden: true, onsubmit: (event) => this.keepMore(event) },
      h("label", {}, "Better answer, if you know one", this.better),
      h("label", {}, "Comment", this.comment),
      h("div", { class: "row" }, h("button", {}, "Keep these too")));
    this.name = h("label", { class: "name", hidden: true }, "Who judges? Your judgements are kept under this name.", nameField(() => this.say(this.verdict)));
    this.told = h("p", { class: "told small", role: "status" });
    root.append(h("div", { class: "judging", role: "group", "aria-label": `Judge the answer of ${about.model}` },
      h("div", { class: "row" }, h("span", { class: "quiet small" }, "Your judgement"), this.buttons), this.name, this.told, this.more));
  }

  say(verdict) {
    this.verdict = verdict;
    for (const [place, [name]] of VERDICTS.entries()) this.buttons[place].setAttribute("aria-pressed", String(name === verdict));
    this.name.hidden = Boolean(reader());
    if (!this.name.hidden) return this.name.querySelector("input").focus();
    this.more.hidden = false;
    return this.keep();
  }

  keepMore(event) {
    event.preventDefault();
    this.keep();
  }

  // Later words of a reader replace earlier ones, so each is sent whole.
  async keep() {
    const { answer, picture, question, model, view } = this.about;
    const mine = ++this.sends;
    this.tell("Keeping …", "quiet");
    const body = {
      token: token(), reader: reader(), verdict: this.verdict, model, picture: picture.id, view: view ?? {}, question,
      answer: answer.answer, confidence: answer.confidence, better: this.better.value.trim(), comment: this.comment.value.trim(),
    };
    this.sending = (this.sending ?? Promise.resolve()).catch(() => {}).then(() =>
      sendUntilKept("api/judgements", body, { onWait: (text) => this.tell(text, "warn"), wanted: () => this.root.isConnected }));
    try {
      await this.sending;
      if (mine === this.sends) this.tell(`Kept as ${reader()}: ${this.verdict}.`, "good");
    } catch (error) {
      if (mine === this.sends) this.tell(error.message, "bad");
    }
  }

  tell(text, kind) {
    this.told.className = `told small ${kind}`;
    this.told.textContent = text;
  }
}

// Keys go to the answer that has the focus, else to the first that is not judged yet.
document.addEventListener("keydown", (event) => {
  shown = shown.filter((one) => one.root.isConnected);
  const verdict = VERDICTS.find(([, , key]) => key === event.key.toLowerCase());
  if (!shown.length || !verdict || elsewhere(event)) return;
  const focused = shown.find((one) => (one.root.closest(".answer") ?? one.root).contains(document.activeElement));
  const free = document.activeElement === document.body || document.activeElement?.id === "main";
  const meant = focused ?? (free ? shown.find((one) => !one.verdict) ?? shown[0] : null);
  if (!meant) return;
  event.preventDefault();
  meant.say(verdict[0]);
});

export function mountJudging(root, about) {
  stylesheet("judging");
  shown.push(new Judging(root, about));
}
