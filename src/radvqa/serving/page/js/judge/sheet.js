// A review sheet: one question at a time with its picture; each mark is in the run folder when the page says so.
import { get } from "../api.js";
import { h, replace } from "../dom.js";
import { nameField, reader } from "./reader.js";
import { elsewhere, sendUntilKept } from "./sending.js";

const TYPING = 600; // milliseconds without a letter before words are sent

export async function mountSheet(root, sheet) {
  const query = new URLSearchParams(sheet);
  const told = await get(`api/sheets/rows?${query}&reviewer=${encodeURIComponent(reader())}`);
  const view = new Sheet(root, sheet, told, query);
  return () => view.leave();
}

class Sheet {
  constructor(root, sheet, told, query) {
    Object.assign(this, { root, sheet, query, rows: told.rows, verdicts: told.verdicts, marks: told.marks, maps: told.maps, at: 0, withMap: false, waiting: new Set() });
    this.over = new AbortController();
    this.build();
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.over.signal });
    const open = this.rows.findIndex((row) => !this.marks[row.id]);
    this.go(open < 0 ? 0 : open);
  }

  build() {
    this.dots = h("div", { class: "dots", role: "group", "aria-label": "Questions" }, this.rows.map((_, place) => h("button", { type: "button", onclick: () => this.go(place) }, String(place + 1))));
    this.count = h("p", { class: "small number quiet", role: "status" });
    this.image = h("img", {});
    this.missing = h("p", { class: "quiet", hidden: true }, "The picture is not at hand.");
    this.image.addEventListener("error", () => this.noPicture(true));
    this.image.addEventListener("load", () => this.noPicture(false));
    this.map = h("button", { type: "button", hidden: !this.maps, "aria-pressed": "false", onclick: () => this.turnMap() }, "Map ", h("kbd", {}, "M"));
    this.question = h("h2", { tabindex: -1, dir: "auto" });
    this.said = h("dl", { class: "two" });
    this.why = h("p", { class: "quiet small" });
    this.radios = this.verdicts.map((one) => h("input", { type: "radio", name: "verdict", value: one.name, onchange: () => this.mark() }));
    this.failure = h("input", { maxlength: 200, autocomplete: "off", class: "wide" });
    this.comment = h("textarea", { maxlength: 4000, rows: 3, class: "wide" });
    for (const field of [this.failure, this.comment]) field.addEventListener("input", () => this.later());
    this.before = h("button", { type: "button", onclick: () => this.go(this.at - 1) }, "← Previous");
    this.clear = h("button", { type: "button", onclick: () => this.takeBack() }, "Clear");
    this.after = h("button", { type: "button", onclick: () => this.go(this.at + 1) }, "Next →");
    this.told = h("p", { class: "told small", role: "status" });
    const name = h("label", { class: "row" }, "You are", this.name = nameField(() => this.another()));
    replace(this.root,
      h("div", { class: "row" }, h("div", { class: "grow" }, h("p", {}, h("a", { href: "#/judge" }, "← Judge")), h("h1", {}, this.sheet.run, h("span", { class: "quiet" }, ` on ${this.sheet.data} ${this.sheet.split}`))), name),
      h("div", { class: "stack tight" }, this.dots, this.count),
      h("div", { class: "sheet" },
        h("div", { class: "picture" }, this.image, this.missing, this.map),
        h("form", { class: "card stack", onsubmit: (event) => event.preventDefault() }, h("div", {}, this.question, this.said, this.why),
          h("fieldset", {}, h("legend", {}, "Your verdict"), this.verdicts.map((one, place) => h("label", {}, this.radios[place], h("span", {}, one.said), h("kbd", { "aria-hidden": "true" }, String(place + 1))))),
          h("label", { class: "field" }, "What went wrong, in a word or two", this.failure),
          h("label", { class: "field" }, "Comment", this.comment),
          h("div", { class: "row moves" }, this.before, this.clear, this.after), this.told,
          h("p", { class: "quiet small" }, "Keys: 1 to 5 verdict, → or J next, ← or K previous", this.maps && ", M map", "."))));
  }

  get row() {
    return this.rows[this.at];
  }

  noPicture(missing) {
    this.image.hidden = missing;
    this.missing.hidden = !missing;
  }

  go(place) {
    if (place < 0 || place >= this.rows.length) return;
    this.flush();
    Object.assign(this, { at: place, withMap: false });
    this.show();
    const top = this.root.querySelector(".sheet");
    if (top.getBoundingClientRect().top < 0) top.scrollIntoView({ block: "start" }); // on a phone the buttons are far below
  }

  show() {
    const { row } = this, mark = this.marks[row.id] ?? { verdict: "", failure: "", comment: "" };
    this.question.textContent = row.question;
    replace(this.said, h("div", {}, h("dt", {}, "Stored answer"), h("dd", { dir: "auto" }, row.gold || "(nothing)")), h("div", {}, h("dt", {}, row.confidence === null ? "Model" : `Model, says it is ${Math.round(100 * row.confidence)} % sure`), h("dd", { dir: "auto" }, row.prediction || "(nothing)")));
    this.why.textContent = row.why ? `On this sheet: ${row.why}` : "";
    for (const radio of this.radios) radio.checked = radio.value === mark.verdict;
    this.failure.value = mark.failure;
    this.comment.value = mark.comment;
    this.before.disabled = this.at === 0;
    this.after.disabled = this.at === this.rows.length - 1;
    this.tell("", "");
    this.draw();
    this.progress();
    this.root.dataset.question = row.id;
  }

  draw() {
    const source = `api/sheets/picture?${this.query}&id=${encodeURIComponent(this.row.id)}`;
    this.image.alt = `Picture ${this.row.image}${this.withMap ? ", with the map of the answer" : ""}`;
    this.image.src = this.withMap ? `${source}&map=true` : source;
    this.map.setAttribute("aria-pressed", String(this.withMap));
    const next = this.rows[this.at + 1];
    if (next && next.image !== this.row.image) new Image().src = `api/sheets/picture?${this.query}&id=${encodeURIComponent(next.id)}`;
  }

  progress() {
    const done = this.rows.filter((row) => this.marks[row.id]).length;
    this.count.textContent = `Question ${this.at + 1} of ${this.rows.length}, ${done} judged`;
    for (const [place, dot] of [...this.dots.children].entries()) {
      const judged = Boolean(this.marks[this.rows[place].id]);
      dot.classList.toggle("done", judged);
      dot.setAttribute("aria-label", `Question ${place + 1}, ${judged ? "judged" : "not judged"}`);
      if (place === this.at) dot.setAttribute("aria-current", "true");
      else dot.removeAttribute("aria-current");
    }
  }

  later() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.mark(), TYPING);
    this.typed = true;
  }

  flush() {
    clearTimeout(this.typing);
    if (this.typed) this.mark();
  }

  mark() {
    clearTimeout(this.typing);
    this.typed = false;
    const verdict = this.radios.find((radio) => radio.checked)?.value ?? "";
    if (!verdict) return this.tell("Choose a verdict first; words alone are not kept.", "warn");
    const mark = { verdict, failure: this.failure.value.trim(), comment: this.comment.value.trim() };
    return this.keep(this.row, mark);
  }

  takeBack() {
    if (this.marks[this.row.id]) this.keep(this.row, null);
    else this.show();
  }

  // Marks go one after another, so that the last one said is the one that stands.
  keep(row, mark) {
    if (!reader()) {
      this.tell("Write your name or initials first, so that sheets of several reviewers can be compared.", "warn");
      this.name.focus();
      this.unsent = () => this.keep(row, mark);
      return;
    }
    if (mark) this.marks[row.id] = mark;
    else delete this.marks[row.id];
    this.progress();
    if (!mark) this.show();
    this.tell("Keeping …", "quiet");
    const body = { ...this.sheet, id: row.id, reviewer: reader(), ...(mark ?? { verdict: "", failure: "", comment: "" }) };
    const sent = (this.sending ?? Promise.resolve()).catch(() => {}).then(() =>
      sendUntilKept("api/sheets/marks", body, { onWait: (text) => this.tell(text, "warn"), wanted: () => this.root.isConnected }));
    this.sending = sent;
    sent.then(() => sent === this.sending && this.tell(mark ? `Kept as ${reader()}.` : "Taken back.", "good"), (error) => this.tell(error.message, "bad"));
  }

  // Somebody else took the seat: their marks are shown, and what was waiting for a name is kept under it.
  async another() {
    const { marks } = await get(`api/sheets/rows?${this.query}&reviewer=${encodeURIComponent(reader())}`);
    this.marks = marks;
    const unsent = this.unsent;
    this.unsent = null;
    if (unsent) unsent();
    else this.show();
  }

  turnMap() {
    this.withMap = !this.withMap;
    this.draw();
  }

  tell(text, kind) {
    this.told.className = `told small ${kind}`;
    this.told.textContent = text;
  }

  key(event) {
    if (elsewhere(event)) return;
    const verdict = this.radios[Number(event.key) - 1];
    if (verdict) {
      verdict.checked = true;
      this.mark();
    } else if (event.key === "ArrowRight" || event.key === "j") this.go(this.at + 1);
    else if (event.key === "ArrowLeft" || event.key === "k") this.go(this.at - 1);
    else if (event.key === "m" && this.maps) this.turnMap();
    else return;
    event.preventDefault();
  }

  leave() {
    this.flush();
    this.over.abort();
  }
}
