// Review: the queue of `radvqa curate review`, by its own script.
import { get } from "../api.js";
import { h, stylesheet } from "../dom.js";

export const title = "Review";

export async function mount(root) {
  const { progress, how } = await get("api/review");
  if (!progress) {
    root.append(h("h1", {}, "Review"), h("section", { class: "card" }, h("p", {}, how)));
    return null;
  }
  stylesheet("review");
  const place = h("div", { class: "inside" });
  root.append(place);
  if (!document.querySelector('link[href="reviewing/review.css"]')) document.head.append(h("link", { rel: "stylesheet", href: "reviewing/review.css" }));
  const review = await import("../../../reviewing/review.js");
  return review.mount(place, "api/review");
}
