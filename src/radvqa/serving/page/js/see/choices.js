// What the reader may choose: the method, the layer and the head, how the map is laid over the picture.
import { h } from "../dom.js";

const FIRST = ["relevancy", "grad-cam", "occlusion"]; // in this order, whichever applies
let last = null;

// The method to begin with: the one that was chosen last, where it is quick and applies.
export function preferred(methods) {
  const applies = methods.filter((one) => one.applies);
  return applies.find((one) => one.name === last && one.cheap) ?? FIRST.map((name) => applies.find((one) => one.name === name)).find(Boolean) ?? applies[0];
}

export function chooser(methods, chosen, onChoose) {
  const option = (one) => h("option", { value: one.name, selected: one.name === chosen, disabled: !one.applies, title: one.why || one.says }, one.applies ? one.title : `${one.title} (does not apply)`);
  const select = h("select", { id: "see-method", onchange: () => {
    last = select.value;
    onChoose(select.value);
  } }, group("Quick", methods.filter((one) => one.cheap), option), group("Slow", methods.filter((one) => !one.cheap), option));
  return h("div", { class: "row" }, h("label", { for: "see-method" }, "Method"), select);
}

const group = (label, some, option) => h("optgroup", { label }, some.map(option));

export function layerChoice(layers, { layer, head }, onChoose) {
  const heads = layer === null ? Math.min(...layers.map((one) => one.heads)) : layers[layer].heads;
  const pick = (id, count, chosen, act) => {
    const select = h("select", { id, onchange: () => act(select.value === "" ? null : Number(select.value)) },
      h("option", { value: "" }, "Mean of all"), Array.from({ length: count }, (_, at) => h("option", { value: at, selected: at === chosen }, String(at))));
    return select;
  };
  return h("div", { class: "row" },
    h("label", { for: "see-layer" }, "Layer"), pick("see-layer", layers.length, layer, (value) => onChoose(value, head)),
    h("label", { for: "see-head" }, "Head"), pick("see-head", heads, head, (value) => onChoose(layer, value)));
}

export function slider(name, value, onChange) {
  const id = `see-${name.toLowerCase()}`;
  const output = h("output", { for: id, class: "number small" }, `${Math.round(100 * value)} %`);
  const input = h("input", { id, type: "range", min: 0, max: 100, value: Math.round(100 * value), oninput: () => {
    output.textContent = `${input.value} %`;
    onChange(Number(input.value) / 100);
  } });
  return h("div", { class: "slider" }, h("label", { for: id }, name), input, output);
}
