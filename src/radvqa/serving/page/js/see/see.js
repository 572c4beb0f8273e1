// What moved the model: its map over the picture, words shaded by weight, patches to click, and the evidence for it all.
import { get } from "../api.js";
import { h, replace, shownError, stylesheet } from "../dom.js";
import { evidence, warnings } from "./evidence.js";
import { headsPlot } from "./heads.js";
import { Job } from "./job.js";
import { legend, painted } from "./map.js";
import { chooser, layerChoice, preferred, slider } from "./choices.js";
import { PatchPanel, patchAt } from "./patch.js";
import { answerStrip, shaded } from "./words.js";

const AGAIN = "Choose a method, and the map is made again.";
const mounted = new WeakMap(); // viewer → what takes away the panel that draws on it
const shown = { opacity: 0.75, threshold: 0.15, truth: false }; // as the reader likes it, from answer to answer

// Shows why a model gave `answer` to `question`; the map is drawn on `viewer`. Returns what takes everything away.
export function mountSee(root, { viewer, answer, picture, question, view }) {
  stylesheet("see");
  mounted.get(viewer)?.();
  const panel = new Panel(root, viewer, { picture: picture.id, view, question, model: answer.model });
  mounted.set(viewer, () => panel.leave());
  panel.open();
  return () => panel.leave();
}

class Panel {
  constructor(root, viewer, about) {
    this.viewer = viewer;
    this.about = about;
    this.wanted = { method: null, layer: null, head: null, token: null };
    this.made = null; // the last map
    this.patch = null;
    this.regions = [];
    this.ended = new AbortController();
    this.job = new Job(AGAIN);
    this.patchJob = new Job("Click the picture again.");
    this.wordsJob = new Job("Ask for it again when you like.");
    this.patches = new PatchPanel(this.patchJob);
    this.place = Object.fromEntries(["methods", "says", "warnings", "answer", "layers", "words", "heads", "evidence", "elsewhere"].map((name) => [name, h("div", { class: `see-${name}` })]));
    this.place.warnings.setAttribute("aria-live", "polite");
    this.truth = h("label", { class: "row", hidden: true }, h("input", { type: "checkbox", checked: shown.truth, onchange: (event) => { shown.truth = event.target.checked; this.marks(); } }), " Show where the data set's labels lie");
    this.controls = h("div", { class: "stack tight", hidden: true },
      slider("Opacity", shown.opacity, (value) => { shown.opacity = value; this.lay(); }),
      slider("Threshold", shown.threshold, (value) => { shown.threshold = value; this.lay(); }),
      legend());
    this.element = h("section", { class: "card see", "aria-label": `Where ${about.model} looked` },
      h("div", {}, h("h2", {}, `Where did ${about.model} look?`), h("p", { class: "quiet small" }, "A map says what moved the model, not what is in the picture.")),
      h("div", { class: "stack tight" }, this.place.methods, this.place.says), this.job.element, this.place.warnings, this.place.elsewhere,
      this.place.answer, this.place.layers, this.controls, this.truth,
      part("The question's words", this.place.words, this.wordsJob.element),
      part("One patch", this.patches.element, this.patchJob.element),
      this.place.heads, part("Is it to be believed?", this.place.evidence));
    replace(root, this.element);
    const watching = new MutationObserver(() => this.here); // whoever empties the place ends the work
    watching.observe(root, { childList: true });
    this.ended.signal.addEventListener("abort", () => watching.disconnect());
    viewer.addEventListener("pick", (event) => this.pick(event.detail), { signal: this.ended.signal });
    viewer.addEventListener("view", () => this.lay(), { signal: this.ended.signal });
  }

  leave() {
    this.ended.abort();
    for (const job of [this.job, this.patchJob, this.wordsJob]) job.stop();
    if (this.element.isConnected || this.made) this.viewer.overlay(null);
    this.viewer.boxes([]);
    this.element.remove();
  }

  get here() {
    if (this.element.isConnected) return true;
    if (!this.ended.signal.aborted) this.leave();
    return false;
  }

  async open() {
    try {
      this.job.progress({ text: "Asking which maps this model allows", done: 0, total: 0 });
      this.job.busy.hidden = false;
      const signal = this.ended.signal;
      const [known, labels] = await Promise.all([get(`api/methods?model=${encodeURIComponent(this.about.model)}`, signal), get(`api/pictures/${this.about.picture}/regions?question=${encodeURIComponent(this.about.question)}`, signal)]);
      if (!this.here) return;
      this.job.busy.hidden = true;
      this.methods = new Map(known.methods.map((one) => [one.name, one]));
      this.layers = known.layers;
      this.regions = labels.regions;
      this.truth.hidden = this.regions.length === 0;
      this.marks();
      this.wordsOf(null);
      this.evidenceOf();
      const first = preferred(known.methods);
      this.offer(first.name);
      if (first.cheap) await this.choose(first.name);
      else this.says(first, this.makeButton(first.name));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.job.busy.hidden = true;
      this.job.say(shownError(error));
    }
  }

  offer(name) {
    this.wanted.method = name;
    replace(this.place.methods, chooser([...this.methods.values()], name, (chosen) => this.choose(chosen)));
  }

  says(method, ...more) {
    const slow = method.cheap ? "" : " It asks the model many times and can take a minute; questions are answered meanwhile.";
    replace(this.place.says, h("p", { class: "small" }, method.says + slow), more);
  }

  makeButton(name) {
    return h("button", { type: "button", class: "main", onclick: () => this.choose(name) }, "Make the map");
  }

  choose(name) {
    const method = this.methods.get(name);
    this.wanted = { ...this.wanted, method: name, ...(method.layered ? {} : { layer: null, head: null }) };
    this.offer(name);
    this.says(method);
    return this.make();
  }

  async make(proof = false) {
    const asked = { ...this.wanted };
    const done = await this.job.run("api/maps", { ...this.about, ...asked, proof }, { map: (made) => this.took(made) });
    if (!done && this.here && !this.made && !this.job.running) this.says(this.methods.get(asked.method), this.makeButton(asked.method));
    if (!done && this.here && this.made && !this.job.running) {
      this.wanted = { method: this.made.method, layer: this.made.layer, head: this.made.head, token: this.made.token };
      this.offer(this.made.method); // what is seen is still the last map
      this.says(this.methods.get(this.made.method));
      this.choices();
    }
  }

  took(made) {
    this.made = made;
    this.controls.hidden = made.flat;
    this.choices();
    this.lay();
    this.wordsOf(made.words);
    this.evidenceOf();
    replace(this.place.heads, made.heads?.length && h("details", { open: this.headsOpen, ontoggle: (event) => { this.headsOpen = event.target.open; } }, h("summary", {}, "How much each head looks at the picture"),
      headsPlot(made.heads, [made.layer, made.head], (layer, head) => this.pickHead(layer, head))));
  }

  choices() {
    const { wanted, made } = this;
    replace(this.place.answer, answerStrip(made.tokens, wanted.token, (token) => {
      this.wanted.token = token;
      this.make();
    }));
    const layers = made.layers ?? this.layers;
    replace(this.place.layers, this.methods.get(wanted.method).layered && layers && layerChoice(layers, wanted, (layer, head) => {
      Object.assign(this.wanted, { layer, head });
      this.make();
    }));
  }

  pickHead(layer, head) {
    if (!this.methods.get(this.wanted.method).layered) this.wanted.method = "raw";
    Object.assign(this.wanted, { layer, head: Math.min(head, this.made.layers[layer].heads - 1) });
    this.offer(this.wanted.method);
    this.says(this.methods.get(this.wanted.method));
    this.make();
  }

  // Lays the map over the picture while that is the slice or frame it is about.
  lay() {
    if (!this.made || !this.here) return;
    const away = ["frame", "slice", "axis"].some((key) => (this.viewer.view?.[key] ?? null) !== (this.about.view?.[key] ?? null));
    replace(this.place.elsewhere, away && h("p", { class: "quiet small" }, "The map belongs to the slice that was asked about; go back there to see it, or ask about this one."));
    this.viewer.overlay(away || this.made.flat ? null : painted(this.made.map, shown.threshold), shown.opacity);
    this.marks(away);
  }

  marks(away = false) {
    const meant = this.regions.filter(({ about }) => about); // all labels at once hide the picture
    const truth = shown.truth ? (meant.length ? meant : this.regions).map(({ label, box, about }) => ({ label: about ? `${label} (asked about)` : label, box })) : [];
    const patch = this.patch ? [{ label: "patch", box: this.patch.box }] : [];
    this.viewer.boxes(away ? [] : [...truth, ...patch]);
  }

  pick(point) {
    if (!this.here || !this.methods) return;
    const patch = patchAt(point, this.made?.patches);
    if (!patch) return this.patchJob.say(h("p", { class: "quiet small" }, "The model does not see this part of the picture."));
    this.patch = patch;
    this.marks();
    return this.patches.show(patch, this.made, this.about);
  }

  wordsOf(words) {
    const leave = () => this.wordsJob.run("api/words", this.about, { words: (data) => replace(this.place.words, shaded(data.words, "The question's words by how much less sure the model is without each"), h("p", { class: "quiet small" }, "How much less sure the model is when the word is left out.")) });
    replace(this.place.words,
      words ? [shaded(words, "The question's words, as the model reads them, by their weight"), h("p", { class: "quiet small" }, "Weights by this method, as the model reads the question.")] : h("p", {}, this.about.question),
      h("button", { type: "button", onclick: leave }, "Leave each word out"));
  }

  evidenceOf() {
    const { made } = this;
    replace(this.place.warnings, made && warnings(made).map((text) => h("p", { class: "doubt small" }, text)));
    replace(this.place.evidence, made ? evidence(made, () => this.make(true)) : h("p", { class: "quiet small" }, "Make a map first."));
  }
}

const part = (title, ...children) => h("div", { class: "part" }, h("h3", {}, title), children);
