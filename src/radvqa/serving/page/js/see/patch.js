// A click on the picture → the patch that was meant, and which words of the answer it moved.
import { h, percent, replace } from "../dom.js";
import { floats } from "./map.js";
import { listed } from "./words.js";

const CELLS = 14; // along a side, of a model that has no patches

// The patch under a point, as shares of the picture; null where the model does not see.
export function patchAt({ x, y }, patches) {
  const [left, top, right, bottom] = patches?.frame ?? [0, 0, 1, 1];
  const [rows, columns] = patches ? [patches.rows, patches.columns] : [CELLS, CELLS];
  const column = Math.floor(((x - left) / (right - left)) * columns);
  const row = Math.floor(((y - top) / (bottom - top)) * rows);
  if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
  const [width, height] = [(right - left) / columns, (bottom - top) / rows];
  return { number: row * columns + column, box: [left + column * width, top + row * height, width, height].map((v) => Math.min(1, Math.max(0, v))) };
}

export class PatchPanel {
  constructor(job) {
    this.job = job;
    this.attention = h("div", {});
    this.covering = h("div", {});
    this.element = h("div", { class: "patch" }, h("p", { class: "quiet small" }, "Click the picture: which words of the answer did that patch move?"));
  }

  async show(patch, made, body) {
    replace(this.attention, this.looked(patch, made));
    replace(this.covering);
    replace(this.element, this.attention, this.covering);
    await this.job.run("api/patches", { ...body, box: patch.box }, { patch: (data) => this.moved(data.tokens) });
  }

  looked(patch, made) {
    if (!made?.patches) return null;
    const { rows, columns, tokens, data } = made.patches;
    const weights = floats(data);
    const each = Array.from({ length: tokens }, (_, token) => weights[token * rows * columns + patch.number]);
    const mean = each.reduce((sum, weight) => sum + weight, 0) / tokens;
    const own = tokens === made.tokens.length; // else several states tell one word
    const words = made.tokens.map((token, place) => ({ text: named(token), value: own ? each[place] : mean, said: percent(own ? each[place] : mean, 2) }));
    return [h("h4", {}, "How much of each word's attention lies on this patch"), listed(words, 0.01)];
  }

  moved(tokens) {
    const words = tokens.map((token) => ({ text: named(token), value: token.before - token.after, said: `${percent(token.before)} → ${percent(token.after)}` }));
    replace(this.covering, h("h4", {}, "How probable each word is with the patch, and when it is blurred"), listed(words, 0.05));
  }
}

const named = (token) => (token.end ? "end" : token.text);
