// Runs: all of them, one, or two side by side.
import { stylesheet } from "../dom.js";

export const title = "Runs";

export async function mount(root, rest) {
  stylesheet("runs");
  const place = document.createElement("div");
  place.className = "stack page-runs";
  root.append(place);
  if (rest[0] === "compare" && rest.length === 3) return (await import("../runs/comparison.js")).mountComparison(place, rest[1], rest[2]);
  if (rest[0]) return (await import("../runs/detail.js")).mountRun(place, rest[0]);
  return (await import("../runs/list.js")).mountList(place);
}
