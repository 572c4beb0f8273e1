// Who judges: asked once, kept in this browser.
import { h } from "../dom.js";

const KEY = "radvqa.reader";

export const reader = () => localStorage.getItem(KEY) ?? "";

// A field for the name; calls `onName` when one is given.
export function nameField(onName = () => {}) {
  const input = h("input", { autocomplete: "name", maxlength: 60, value: reader(), placeholder: "Name or initials", "aria-label": "Your name or initials" });
  const keep = () => {
    const name = input.value.trim().replace(/\s+/g, " ");
    if (!name || name === reader()) return;
    localStorage.setItem(KEY, name);
    onName(name);
  };
  input.addEventListener("change", keep);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    keep();
  });
  return input;
}
