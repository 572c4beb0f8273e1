// A small map of one model's answer over a small picture, on demand.
import { get } from "../api.js";
import { h, replace } from "../dom.js";
import { preferred } from "./choices.js";
import { warnings } from "./evidence.js";
import { Job } from "./job.js";
import { painted } from "./map.js";

export class SmallMap {
  constructor(about, picture) {
    this.about = about;
    this.picture = picture;
    this.job = new Job("Show it again when you like.");
    this.place = h("div", {});
    this.button = h("button", { type: "button", onclick: () => this.make() }, "Where did it look?");
    this.element = h("div", { class: "small-map stack tight" }, h("div", { class: "row" }, this.button), this.job.element, this.place);
  }

  async make() {
    this.button.disabled = true;
    try {
      const { methods } = await get(`api/methods?model=${encodeURIComponent(this.about.model)}`);
      const method = preferred(methods);
      await this.job.run("api/maps", { ...this.about, method: method.name }, { map: (made) => this.took(made) });
    } catch (error) {
      this.job.say(h("p", { class: "error", role: "alert" }, error.message));
    } finally {
      this.button.disabled = false;
    }
  }

  took(made) {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(this.about.view ?? {})) if (value !== null && value !== undefined) query.set(key, value);
    const seen = h("img", { src: `api/pictures/${this.about.picture}/pixels?${query}`, alt: `The picture ${this.picture.name}` });
    const over = painted(made.map, 0.15);
    over.setAttribute("role", "img");
    over.setAttribute("aria-label", `Where ${this.about.model} looked: ${made.title}`);
    replace(this.place, h("div", { class: "laid" }, seen, !made.flat && over), h("p", { class: "quiet small" }, `${made.title}. A map says what moved the model, not what is in the picture.`), warnings(made).map((text) => h("p", { class: "doubt small" }, text)));
  }
}
