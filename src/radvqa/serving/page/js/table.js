// A table as the service tells it: title, columns, rows of text, notes that a reader needs.
import { h } from "./dom.js";

export function tableOf(table, { titled = true } = {}) {
  const words = (place) => place === 0 || table.words.includes(table.columns[place]);
  return h("div", { class: "told-table" },
    titled && h("h3", {}, table.title),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": table.title },
      h("table", {},
        h("thead", {}, h("tr", {}, table.columns.map((column, place) => h("th", { scope: "col", class: words(place) ? "" : "right" }, column)))),
        h("tbody", {}, table.rows.map((row) =>
          h("tr", { class: `kind-${row.kind}` }, row.cells.map((cell, place) => place === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: words(place) ? "" : "right" }, cell))))))),
    table.notes.length > 0 && h("ul", { class: "notes small quiet" }, table.notes.map((note) => h("li", {}, note))));
}
