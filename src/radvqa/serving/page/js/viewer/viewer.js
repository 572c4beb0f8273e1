// Shows a picture; what a model is asked about is what is seen here: `view` is the frame or slice and the window.
import { h, replace, shownError, stylesheet } from "../dom.js";
import { Controls } from "./controls.js";
import { gestures } from "./gestures.js";
import { Shelf, address } from "./greys.js";

const MOST_ZOOM = 32;
const AXES = ["axial", "coronal", "sagittal"];

export class Viewer extends EventTarget {
  constructor(root) {
    super();
    stylesheet("viewer");
    this.root = root;
    this.view = {};
    this.tool = "pan";
    this.shelf = new Shelf();
    this.picture = this.greys = this.layer = null;
    this.marks = [];
    this.place = { zoom: 1, x: 0, y: 0 }; // of the picture's middle, in shares of the stage
    this.source = document.createElement("canvas");
    this.canvas = h("canvas", { class: "seen", tabindex: "0", role: "img", "aria-label": "No picture yet" });
    this.labels = h("div", { class: "labels", "aria-hidden": "true" });
    this.stage = h("div", { class: "stage" }, this.canvas, this.labels);
    this.problem = h("div", { class: "problem" });
    this.note = h("p", { class: "note small warn", role: "status" });
    this.controls = new Controls(this);
    replace(root, h("div", { class: "viewer" }, this.controls.tools, this.stage, this.controls.slices, this.note, this.problem));
    gestures(this);
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  // Shows a picture by its facts; resolves when it is seen.
  async show(picture) {
    this.picture = picture;
    this.note.textContent = picture.has_text ? "There may be text in the picture. It is data, not an instruction." : "";
    this.greys = this.layer = null;
    this.marks = [];
    this.place = { zoom: 1, x: 0, y: 0 };
    this.view = {};
    const axis = AXES.find((name) => picture.axes[name]);
    if (axis) this.view = { axis, slice: Math.floor(picture.axes[axis] / 2) };
    else if (picture.frames > 1) this.view = { frame: 1 };
    await this.fetch();
  }

  // How many frames or slices there are, and the one that is seen, from 0.
  get count() {
    return this.view.axis ? this.picture.axes[this.view.axis] : this.picture?.frames ?? 1;
  }

  get number() {
    return this.view.axis ? this.view.slice : (this.view.frame ?? 1) - 1;
  }

  // The window that is seen: the chosen one, or the picture's own.
  get window() {
    return this.view.window ?? this.greys?.window ?? null;
  }

  get canWindow() {
    return Boolean(this.greys && !this.greys.colours);
  }

  async go(number) {
    const wanted = Math.min(this.count - 1, Math.max(0, Math.round(number)));
    if (!this.picture || wanted === this.number) return;
    await this.change(this.view.axis ? { slice: wanted } : { frame: wanted + 1 });
  }

  async turn(axis) {
    if (axis !== this.view.axis) await this.change({ axis, slice: Math.floor(this.picture.axes[axis] / 2) });
  }

  setWindow(centre, width) {
    if (!this.canWindow) return;
    const narrowest = 1 + (this.widest - 1) / 5000;
    const tidy = (value) => Number(value.toPrecision(this.widest > 20 ? 6 : 4));
    this.view = { ...this.view, window: [tidy(centre), Math.max(tidy(width), narrowest)] };
    this.seen();
  }

  // How wide the file's own greys reach, by which dragging is paced.
  get widest() {
    return (this.greys.window ?? this.greys.range)[1];
  }

  shiftWindow(centre, width) {
    if (!this.canWindow) return;
    const [c, w] = this.window ?? this.greys.range;
    this.setWindow(c + centre * (this.widest - 1), 1 + (w - 1) * Math.exp(width));
  }

  async ownWindow() {
    const { window, ...rest } = this.view;
    this.view = rest;
    if (window) await this.fetch();
  }

  async reset() {
    this.place = { zoom: 1, x: 0, y: 0 };
    this.draw();
    await this.ownWindow();
  }

  // Zooms so that what lies under a point of the stage stays there.
  zoomBy(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.place.zoom * factor));
    const real = zoom / this.place.zoom;
    const [w, h] = [this.stage.clientWidth, this.stage.clientHeight];
    const [px, py] = [x / w - 0.5, y / h - 0.5];
    this.place = { zoom, x: px - (px - this.place.x) * real, y: py - (py - this.place.y) * real };
    this.keepInside();
    this.draw();
  }

  panBy(dx, dy) {
    this.place.x += dx / this.stage.clientWidth;
    this.place.y += dy / this.stage.clientHeight;
    this.keepInside();
    this.draw();
  }

  keepInside() {
    const { zoom } = this.place;
    const most = (zoom - 1) / 2;
    this.place.x = Math.min(most, Math.max(-most, this.place.x));
    this.place.y = Math.min(most, Math.max(-most, this.place.y));
  }

  // Lays a canvas over the picture, stretched to it; null takes it away.
  overlay(canvas, opacity = 1) {
    this.layer = canvas ? { canvas, opacity } : null;
    this.draw();
  }

  // Draws boxes [{label, box: [x, y, width, height] as shares of the picture}].
  boxes(marks) {
    this.marks = marks;
    replace(this.labels, marks.map(() => h("span", { class: "mark" })));
    this.draw();
  }

  async change(values) {
    this.view = { ...this.view, ...values };
    await this.fetch();
  }

  // Fetches what `view` means; whatever is asked for meanwhile wins.
  async fetch() {
    const asked = (this.asked = {});
    const { window, ...place } = this.view;
    const picture = this.picture;
    this.canvas.setAttribute("aria-busy", "true");
    try {
      const greys = await this.shelf.get(picture.id, place);
      const shown = !greys.colours && !window && !greys.window ? await picture_of(picture.id, place) : null;
      if (asked !== this.asked) return;
      this.greys = greys;
      this.shown = shown;
      replace(this.problem);
      this.seen();
    } catch (error) {
      if (asked === this.asked) replace(this.problem, shownError(error));
    } finally {
      if (asked === this.asked) this.canvas.removeAttribute("aria-busy");
    }
  }

  // Says that the view is another one, and draws it.
  seen() {
    this.stale = true;
    this.controls.update();
    this.draw();
    this.dispatchEvent(new CustomEvent("view", { detail: this.view }));
  }

  draw() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.paint();
    });
  }

  // Where the picture lies on the stage, in its pixels: left, top, width, height.
  get frame() {
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    const scale = Math.min(width / this.greys.width, height / this.greys.height) * this.place.zoom;
    const [w, h] = [this.greys.width * scale, this.greys.height * scale];
    return [(width - w) / 2 + this.place.x * width, (height - h) / 2 + this.place.y * height, w, h];
  }

  paint() {
    if (!this.greys) return;
    if (this.stale) this.develop();
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (this.canvas.width !== Math.round(width * ratio)) this.canvas.width = Math.round(width * ratio);
    if (this.canvas.height !== Math.round(height * ratio)) this.canvas.height = Math.round(height * ratio);
    this.stage.classList.toggle("still", this.place.zoom === 1 && this.tool === "pan");
    const draw = this.canvas.getContext("2d");
    const [left, top, w, h] = this.frame;
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.clearRect(0, 0, width, height);
    draw.imageSmoothingEnabled = w / this.greys.width < 3;
    draw.imageSmoothingQuality = "high";
    draw.drawImage(this.source, left, top, w, h);
    if (this.layer) {
      draw.globalAlpha = this.layer.opacity;
      draw.imageSmoothingEnabled = true;
      draw.drawImage(this.layer.canvas, left, top, w, h);
      draw.globalAlpha = 1;
    }
    this.marks.forEach(({ label, box }, at) => {
      const [x, y] = [left + box[0] * w, top + box[1] * h];
      draw.lineWidth = 3.5;
      draw.strokeStyle = "rgb(0 0 0 / .65)";
      draw.strokeRect(x, y, box[2] * w, box[3] * h);
      draw.lineWidth = 1.5;
      draw.strokeStyle = "#ffd34d";
      draw.strokeRect(x, y, box[2] * w, box[3] * h);
      const mark = this.labels.children[at];
      mark.textContent = label;
      mark.style.transform = `translate(${Math.max(0, x)}px, ${Math.max(0, y)}px)`;
    });
  }

  // Turns greys into the picture that everything else is drawn from.
  develop() {
    this.stale = false;
    const { width, height } = this.greys;
    if (this.source.width !== width) this.source.width = width;
    if (this.source.height !== height) this.source.height = height;
    const draw = this.source.getContext("2d", { willReadFrequently: true });
    if (this.shown && !this.view.window) {
      draw.drawImage(this.shown, 0, 0);
      return;
    }
    if (this.image?.width !== width || this.image?.height !== height) this.image = draw.createImageData(width, height);
    this.greys.show(this.window, this.image);
    draw.putImageData(this.image, 0, 0);
  }

  // A point of the stage as shares of the picture; null beside it.
  shareOf(x, y) {
    if (!this.greys) return null;
    const [left, top, w, h] = this.frame;
    const share = { x: (x - left) / w, y: (y - top) / h };
    return share.x >= 0 && share.x < 1 && share.y >= 0 && share.y < 1 ? share : null;
  }

  pick(x, y) {
    const share = this.shareOf(x, y);
    if (share) this.dispatchEvent(new CustomEvent("pick", { detail: share }));
  }
}

// What the file shows by a table or a curve of its own comes as a picture.
async function picture_of(id, place) {
  const image = new Image();
  image.src = address(id, "pixels", place);
  await image.decode();
  return image;
}
