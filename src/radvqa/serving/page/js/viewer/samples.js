// A dialog in which a sample of a data set is chosen: data set, split, search, and small pictures.
import { get, post, stopped } from "../api.js";
import { h, replace, shownError } from "../dom.js";

const PAGE = 24;

// `choose(work)` is called with what fetches the facts of the chosen sample.
export function sampleDialog(choose) {
  const data = h("select", { "aria-label": "Data set", onchange: () => { splits(); look(); } });
  const split = h("select", { "aria-label": "Split", onchange: () => look() });
  const search = h("input", { type: "search", placeholder: "Search questions and answers", "aria-label": "Search", oninput: () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 200);
  } });
  const list = h("ul", { class: "samples", "aria-label": "Samples" });
  const found = h("p", { class: "small quiet number", role: "status" });
  const more = h("button", { type: "button", class: "more", hidden: true, onclick: () => add() }, "Show more");
  const problem = h("div", {});
  const element = h("dialog", { class: "sampling", "aria-labelledby": "sampling-title" },
    h("div", { class: "head row" }, h("h2", { id: "sampling-title" }, "Choose a sample"),
      h("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => element.close() }, "×")),
    h("div", { class: "filters" }, data, split, search), found, problem, h("div", { class: "shelf" }, list, more));
  let sets = null;
  let waiting = 0;
  let asked = null;

  element.addEventListener("click", (event) => event.target === element && element.close());
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: across(), ArrowUp: -across(), ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const buttons = [...list.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  // How many samples stand in a row.
  function across() {
    const items = [...list.children];
    return Math.max(1, items.filter((item) => item.offsetTop === items[0].offsetTop).length);
  }

  async function open() {
    element.showModal();
    if (sets) return;
    try {
      sets = (await get("api/data")).data;
      replace(data, sets.map(({ name }) => h("option", { value: name }, name)));
      if (!sets.length) {
        replace(problem, shownError(new Error("No data set lies on this machine; `radvqa data list` says how to get one.")));
        return;
      }
      splits();
      await look();
    } catch (error) {
      sets = null;
      replace(problem, shownError(error));
    }
  }

  function splits() {
    const names = sets.find(({ name }) => name === data.value).splits;
    replace(split, names.map((name) => h("option", { value: name }, name)));
    split.value = names.at(-1); // what models were not trained on
  }

  async function look() {
    replace(list);
    more.hidden = true;
    await add();
  }

  async function add() {
    asked?.abort();
    const mine = (asked = new AbortController());
    const from = list.children.length;
    found.textContent = "Looking …";
    replace(problem);
    try {
      const query = new URLSearchParams({ data: data.value, split: split.value, search: search.value, offset: from, limit: PAGE });
      const { samples, total } = await get(`api/samples?${query}`, mine.signal);
      list.append(...samples.map(item));
      found.textContent = total === 1 ? "1 question" : `${total.toLocaleString("en")} questions`;
      more.hidden = list.children.length >= total;
    } catch (error) {
      if (stopped(error)) return;
      found.textContent = "";
      replace(problem, shownError(error));
    }
  }

  function item(sample) {
    const pick = () => {
      element.close();
      choose((signal) => post("api/samples", { data: data.value, split: sample.split, id: sample.id }, signal));
    };
    return h("li", {}, h("button", { type: "button", onclick: pick },
      h("img", { src: sample.thumbnail, alt: "", loading: "lazy", width: "96", height: "96" }),
      h("span", { class: "question" }, sample.question)));
  }

  return { element, open, close: () => element.open && element.close() };
}
