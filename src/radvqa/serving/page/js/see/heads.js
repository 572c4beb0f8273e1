// How much each head of each layer looks at the picture; a click chooses the head.
import { h } from "../dom.js";
import { colour } from "./colours.js";

export function headsPlot(heads, chosen, onChoose) {
  const [rows, columns] = [heads.length, heads[0].length];
  const most = Math.max(...heads.flat(), 1e-12);
  const canvas = h("canvas", { width: columns, height: rows, class: "heads", role: "img", "aria-label": `Attention on the picture of ${rows} layers with ${columns} heads each; choose one with the lists above` });
  const draw = canvas.getContext("2d");
  const image = draw.createImageData(columns, rows);
  heads.flat().forEach((value, at) => image.data.set([...colour(value / most), 255], 4 * at));
  draw.putImageData(image, 0, 0);
  canvas.style.aspectRatio = `${columns} / ${Math.min(rows, 2 * columns)}`;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * columns)];
  };
  const said = h("p", { class: "quiet small number" }, chosen[0] === null ? "Rows are layers, columns are heads." : `Chosen: layer ${chosen[0]}, head ${chosen[1] ?? "mean"}.`);
  canvas.addEventListener("pointermove", (event) => {
    const [layer, head] = place(event);
    const value = heads[layer]?.[head];
    if (value !== undefined) said.textContent = `Layer ${layer}, head ${head}: ${(100 * value).toFixed(1)} % of its attention is on the picture`;
  });
  canvas.addEventListener("click", (event) => onChoose(...place(event)));
  return h("div", {}, canvas, said);
}
