// Judge: what readers said and how far they agree, and the review sheets of runs that were diagnosed.
import { stylesheet } from "../dom.js";

export const title = "Judge";

export async function mount(root, rest) {
  stylesheet("judge");
  const place = document.createElement("div");
  place.className = "stack page-judge";
  root.append(place);
  if (rest[0] === "sheet" && rest.length === 4) return (await import("../judge/sheet.js")).mountSheet(place, { run: rest[1], data: rest[2], split: rest[3] });
  return (await import("../judge/overview.js")).mountOverview(place);
}
