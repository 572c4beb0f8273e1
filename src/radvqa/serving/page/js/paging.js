// Earlier and later pages of a list.
import { h, replace } from "./dom.js";

export function paging(root, { offset, limit, total, go }) {
  const step = (to, label) => h("button", { type: "button", disabled: to < 0 || to >= total || (to === offset), onclick: () => go(to) }, label);
  const last = Math.min(total, offset + limit);
  replace(root, total > limit && step(offset - limit, "← Earlier"), h("span", { class: "quiet small number" }, total ? `${(offset + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${total.toLocaleString("en")}` : "nothing"), total > limit && step(offset + limit, "Later →"));
}
