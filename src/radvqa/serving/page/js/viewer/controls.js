// The tools above the picture, and the slider of frames or slices below it.
import { h, replace } from "../dom.js";

const NUMBER = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, useGrouping: false });

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    const button = (name, sign, act, attributes = {}) =>
      h("button", { type: "button", class: "tool", "aria-label": name, title: name, onclick: act, ...attributes }, sign);
    this.pan = button("Move the picture by dragging", "Pan", () => this.choose("pan"), { "aria-pressed": "true" });
    this.level = button("Change brightness and contrast by dragging", "Window", () => this.choose("window"), { "aria-pressed": "false" });
    this.presets = h("select", { class: "presets", "aria-label": "Window", onchange: () => this.preset() });
    this.read = h("output", { class: "window number small quiet" });
    this.tools = h("div", { class: "tools", role: "toolbar", "aria-label": "Picture" },
      h("div", { class: "group" }, this.pan, this.level),
      this.presets, this.read,
      h("div", { class: "group right" },
        button("Make the picture smaller", "−", () => viewer.zoomBy(1 / 1.4)),
        button("Make the picture larger", "+", () => viewer.zoomBy(1.4)),
        button("Show it as at first", "Reset", () => viewer.reset())));
    this.axis = h("select", { "aria-label": "Direction of the slices", onchange: () => viewer.turn(this.axis.value) });
    this.slider = h("input", { type: "range", min: "0", step: "1", oninput: () => viewer.go(Number(this.slider.value)) });
    this.place = h("output", { class: "place number small" });
    this.slices = h("div", { class: "slices", hidden: true }, this.axis, this.slider, this.place);
    this.says = h("p", { class: "said", "aria-live": "polite" });
    this.slices.append(this.says);
  }

  choose(tool) {
    this.viewer.tool = tool;
    this.pan.setAttribute("aria-pressed", String(tool === "pan"));
    this.level.setAttribute("aria-pressed", String(tool === "window"));
    this.viewer.stage.classList.toggle("levels", tool === "window");
    this.viewer.draw();
  }

  preset() {
    if (this.presets.value === "own") this.viewer.ownWindow();
    else if (this.presets.value !== "set") this.viewer.setWindow(...JSON.parse(this.presets.value));
  }

  update() {
    const { viewer } = this;
    const { picture, view } = viewer;
    if (this.picture !== picture) {
      this.picture = picture;
      this.build(picture);
    }
    const chosen = view.window ? JSON.stringify(view.window) : "own";
    const known = [...this.presets.options].some((option) => option.value === chosen);
    this.set.hidden = known;
    this.presets.value = known ? chosen : "set";
    for (const control of [this.level, this.presets, this.read]) control.hidden = !viewer.canWindow;
    if (!viewer.canWindow && viewer.tool === "window") this.choose("pan");
    const window = viewer.window;
    const unit = picture.unit ? ` ${picture.unit}` : "";
    this.read.value = window ? `C ${NUMBER.format(window[0])} · W ${NUMBER.format(window[1])}${unit}` : "as the file says";
    const what = view.axis ? `${view.axis} slice` : "frame";
    this.slices.hidden = viewer.count < 2 && !view.axis;
    this.slider.max = String(viewer.count - 1);
    this.slider.value = String(viewer.number);
    this.slider.setAttribute("aria-label", view.axis ? "Slice" : "Frame");
    this.slider.setAttribute("aria-valuetext", `${what} ${viewer.number + 1} of ${viewer.count}`);
    this.place.value = `${viewer.number + 1} / ${viewer.count}`;
    if (view.axis) this.axis.value = view.axis;
    const parts = [`The picture ${picture.name}`];
    if (!this.slices.hidden) parts.push(`${what} ${viewer.number + 1} of ${viewer.count}`);
    if (window) parts.push(`window centre ${NUMBER.format(window[0])}, width ${NUMBER.format(window[1])}${unit}`);
    viewer.canvas.setAttribute("aria-label", `${parts.join("; ")}. Keys: plus and minus zoom, arrows move, Page Up and Page Down change slices, W and L the window, 0 shows it as at first.`);
  }

  build(picture) {
    this.set = h("option", { value: "set", hidden: true }, "Set by hand");
    replace(this.presets, h("option", { value: "own" }, picture.kind === "picture" ? "As stored" : "As the file says"),
      picture.presets.map(({ name, window }) => h("option", { value: JSON.stringify(window) }, name)), this.set);
    const axes = Object.entries(picture.axes).filter(([, count]) => count > 0);
    replace(this.axis, axes.map(([name]) => h("option", { value: name }, name[0].toUpperCase() + name.slice(1))));
    this.axis.hidden = axes.length < 2;
  }

  // Tells listeners who cannot see which slice is shown now.
  say() {
    this.says.textContent = this.slider.getAttribute("aria-valuetext");
  }
}
