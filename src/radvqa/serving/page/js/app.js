// The frame: which view is shown, light or dark, and the models that can be asked.
import { get } from "./api.js";
import { replace, shownError } from "./dom.js";
import { state } from "./state.js";

const VIEWS = ["ask", "compare", "runs", "judge", "review"];
const main = document.getElementById("main");
let leave = null;
let showing = 0;

async function show() {
  const mine = ++showing;
  const [name, ...rest] = (location.hash.replace(/^#\//, "") || "ask").split("/").map(decodeURIComponent);
  const wanted = VIEWS.includes(name) ? name : "ask";
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.getAttribute("href") === `#/${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave?.();
  leave = null;
  replace(main);
  try {
    const view = await import(`./views/${wanted}.js`);
    if (mine !== showing) return; // meanwhile another view was asked for
    document.title = `${view.title} · radvqa`;
    leave = (await view.mount(main, rest)) ?? null;
  } catch (error) {
    replace(main, shownError(error));
  }
}

function theme(next) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const wanted = next ?? (now === "dark" ? "light" : "dark");
  document.documentElement.dataset.theme = wanted;
  localStorage.setItem("radvqa.theme", wanted);
}

if (localStorage.getItem("radvqa.theme")) theme(localStorage.getItem("radvqa.theme"));
document.getElementById("theme").addEventListener("click", () => theme());
addEventListener("hashchange", show);

try {
  const { models } = await get("api/models");
  state.set({ models, chosen: [models[0].name] });
  await show();
} catch (error) {
  replace(main, shownError(error));
}
