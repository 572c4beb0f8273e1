// The picture: zoomed by keys and wheel, moved by dragging.
export class Picture {
  constructor(frame, image, missing) {
    Object.assign(this, { frame, image, missing, scale: 1, x: 0, y: 0 });
    this.ready = new Map();
    image.addEventListener("error", () => this.#missing(true));
    image.addEventListener("load", () => this.#missing(false));
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    }, { passive: false });
    image.addEventListener("pointerdown", (event) => image.setPointerCapture(event.pointerId));
    image.addEventListener("pointermove", (event) => {
      if (!image.hasPointerCapture(event.pointerId)) return;
      this.x += event.movementX;
      this.y += event.movementY;
      this.#place();
    });
  }

  show(source) {
    this.whole();
    this.ready.delete(source);
    if (source) this.image.src = source;
    else this.#missing(true);
  }

  // Pictures of the next pairs are loaded while the reviewer reads.
  prepare(source) {
    if (!source || this.ready.has(source)) return;
    const image = new Image();
    image.src = source;
    this.ready.set(source, image);
  }

  zoom(factor) {
    this.scale = Math.min(16, Math.max(0.5, this.scale * factor));
    this.#place();
  }

  whole() {
    Object.assign(this, { scale: 1, x: 0, y: 0 });
    this.#place();
  }

  #place() {
    this.image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
  }

  #missing(missing) {
    this.image.hidden = missing;
    this.missing.hidden = !missing;
  }
}
