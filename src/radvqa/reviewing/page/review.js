// The review: shows one pair at a time, holds a few more ready, and sends decisions in the order they were made.
// A decision is kept in this browser until the server has it, so that a reload or a killed server loses none.
import { MARKUP } from "./markup.js";
import { Picture } from "./picture.js";
import { answered, ask } from "./server.js";

const AHEAD = 4; // pairs that are held ready, with their pictures
const WAITING = "radvqa-review-waiting";
const NAME = "radvqa-review-name";

// Shows the review inside an element; `base` is where its doors are. Returns a function that ends it.
export function mount(root, base) {
  root.classList.add("review");
  root.replaceChildren(...new DOMParser().parseFromString(MARKUP, "text/html").body.childNodes);
  const review = new Review(root, base);
  review.open();
  return () => review.leave();
}

class Review {
  constructor(root, base) {
    Object.assign(this, { root, base, reviewer: "", sending: false, editing: false });
    this.held = []; // the first one is shown
    this.waiting = JSON.parse(localStorage.getItem(WAITING) ?? "[]"); // decisions that the server does not have yet
    this.over = new AbortController();
    this.picture = new Picture(this.$("picture"), this.$("image"), this.$("no-picture"));
  }

  $(id) {
    return this.root.querySelector(`#${id}`);
  }

  open() {
    const until = { signal: this.over.signal };
    document.addEventListener("keydown", (event) => this.key(event), until);
    this.root.addEventListener("click", (event) => this.click(event), until);
    this.$("edit").addEventListener("submit", (event) => event.preventDefault());
    this.$("hello").addEventListener("close", () => this.begin(this.$("name").value));
    this.$("hello").addEventListener("cancel", (event) => event.preventDefault());
    const known = localStorage.getItem(NAME);
    if (known) this.begin(known);
    else this.$("hello").showModal();
  }

  leave() {
    this.over.abort();
    delete document.body.dataset.pair;
  }

  get left() {
    return this.over.signal.aborted;
  }

  ask(door, body) {
    return ask(`${this.base}/${door}`, body);
  }

  save() {
    localStorage.setItem(WAITING, JSON.stringify(this.waiting));
  }

  notice(text) {
    this.$("notice").textContent = text;
    this.$("notice").hidden = !text;
  }

  show() {
    const pair = this.held[0];
    this.$("work").hidden = !pair;
    this.$("end").hidden = Boolean(pair) || !this.reviewer;
    if (!pair) return;
    this.leaveEdit();
    this.$("question").textContent = pair.question;
    this.$("answer").textContent = pair.answer;
    this.$("caption").textContent = pair.caption;
    this.$("facts").textContent = Object.entries(pair.facts).map(([name, text]) => `${name}: ${text}`).join(" · ");
    this.$("source").hidden = !pair.caption;
    this.$("kind").replaceChildren(new Text(`${[pair.kind, pair.modality, pair.organ].filter(Boolean).join(" · ")} `),
      ...pair.flags.map((flag) => Object.assign(document.createElement("span"), { className: "flag", textContent: flag })));
    this.$("options").hidden = !pair.options.length;
    this.$("options").replaceChildren(...pair.options.map((option) => Object.assign(document.createElement("li"), { textContent: option })));
    for (const box of this.root.querySelectorAll("#reasons input")) box.checked = false;
    this.picture.show(pair.picture);
    for (const next of this.held.slice(1)) this.picture.prepare(next.picture);
    document.body.dataset.pair = pair.id;
  }

  count(progress) {
    this.$("progress").setAttribute("aria-valuemax", progress.pairs);
    this.$("progress").setAttribute("aria-valuenow", progress.done);
    this.$("bar").style.width = `${(100 * progress.done) / Math.max(1, progress.pairs)}%`;
    this.$("counts").textContent = `${progress.done} of ${progress.pairs} · you: ${progress.pass} passed, ${progress.discard} discarded, ${progress.skip} skipped`;
  }

  async fetchMore() {
    const known = [...this.held.map((pair) => pair.id), ...this.waiting.map((decision) => decision.pair)];
    const found = await this.ask("next", { reviewer: this.reviewer, count: AHEAD + 1 - this.held.length, after: known });
    const wasEmpty = !this.held.length;
    const ids = new Set(this.held.map((pair) => pair.id));
    this.held.push(...found.pairs.filter((pair) => !ids.has(pair.id)));
    if (this.left) return;
    this.count(found.progress);
    if (wasEmpty) this.show();
  }

  // Decisions go one after another; what the server refuses is told and dropped, what it does not answer is tried again.
  async send() {
    if (this.sending || this.left) return;
    this.sending = true;
    while (this.waiting.length) {
      const sent = this.waiting[0];
      try {
        await this.ask("decide", sent);
      } catch (error) {
        if (!answered(error)) {
          this.notice(`The server does not answer; ${this.waiting.length} decision(s) are kept here and sent when it does.`);
          await new Promise((done) => setTimeout(done, 1000));
          if (this.left) return;
          continue;
        }
        this.notice(error.message);
      }
      this.waiting.shift();
      this.save();
      if (!this.waiting.length && this.$("notice").textContent.startsWith("The server")) this.notice("");
    }
    this.sending = false;
    try {
      await this.fetchMore();
    } catch (error) {
      if (answered(error)) this.notice(error.message);
      else setTimeout(() => this.send(), 1000);
    }
  }

  decide(verdict, changes = {}) {
    const pair = this.held.shift();
    if (!pair) return;
    const tags = [...this.root.querySelectorAll("#reasons input:checked")].map((box) => box.value);
    this.waiting.push({ pair: pair.id, reviewer: this.reviewer, verdict, reasons: verdict === "discard" ? tags : [], token: crypto.randomUUID(), ...changes });
    this.save();
    this.show();
    this.send();
  }

  async undo() {
    if (this.waiting.length) return this.notice("One moment: the last decision is still on its way.");
    const found = await this.ask("undo", { reviewer: this.reviewer });
    if (!found.pair) return this.notice("There is nothing to take back.");
    this.notice("");
    this.held = [found.pair, ...this.held.filter((pair) => pair.id !== found.pair.id)];
    this.count(found.progress);
    this.show();
  }

  beginEdit() {
    this.editing = true;
    this.$("edit").hidden = false;
    this.$("edit-question").value = this.held[0].question;
    this.$("edit-answer").value = this.held[0].answer;
    this.$("edit-question").focus();
  }

  leaveEdit() {
    this.editing = false;
    this.$("edit").hidden = true;
    if (this.root.contains(document.activeElement)) document.activeElement.blur();
  }

  keepEdit() {
    const [question, answer] = [this.$("edit-question").value.trim(), this.$("edit-answer").value.trim()];
    if (!question || !answer) return this.notice("Question and answer must not be empty; discard the pair instead.");
    this.notice("");
    this.decide("pass", {
      question: question === this.held[0].question ? null : question,
      answer: answer === this.held[0].answer ? null : answer,
    });
  }

  press(key) {
    if (key === "?") return this.$("keys").showModal();
    if (key === "u") return this.undo();
    if (!this.held.length) return;
    if (key === "p") this.decide("pass");
    else if (key === "d") this.decide("discard");
    else if (key === "s") this.decide("skip");
    else if (key === "e") this.beginEdit();
    else if (key === "+" || key === "=") this.picture.zoom(1.25);
    else if (key === "-") this.picture.zoom(0.8);
    else if (key === "0") this.picture.whole();
    else if (/^[1-9]$/.test(key)) {
      const box = this.root.querySelectorAll("#reasons input")[Number(key) - 1];
      if (box) box.checked = !box.checked;
    }
  }

  key(event) {
    if (document.querySelector("dialog[open]")) return;
    if (this.editing) {
      if (event.key === "Escape") this.leaveEdit();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.keepEdit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = event.key.toLowerCase();
    if (!/^[pdesu?+=\-0-9]$/.test(key)) return;
    event.preventDefault(); // or the letter that opens the editor is written into it
    this.press(key);
  }

  click(event) {
    const button = event.target.closest("button[data-key]");
    // the second click of a double click would judge a pair that nobody has read
    if (button && (event.detail < 2 || /[+\-0]/.test(button.dataset.key))) {
      button.blur();
      this.press(button.dataset.key);
    }
  }

  async begin(name) {
    if (this.left) return;
    this.reviewer = name.trim();
    if (!this.reviewer) return this.$("hello").showModal();
    localStorage.setItem(NAME, this.reviewer);
    this.$("who").textContent = this.reviewer;
    let reasons;
    try {
      ({ reasons } = await this.ask("tags", {}));
    } catch (error) {
      this.$("work").hidden = false;
      this.notice(answered(error) ? error.message : "The server does not answer; reload when it runs again.");
      return;
    }
    this.$("reasons").append(...Object.entries(reasons).map(([value, title], number) => {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value });
      const label = document.createElement("label");
      label.append(box, ` ${number + 1} · ${title}`);
      return label;
    }));
    await this.send();
  }
}
