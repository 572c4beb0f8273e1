// Greys of one picture of a file, and the window that turns them into what is seen: the same sums as the service's.
import { getBytes } from "../api.js";

const KINDS = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array };
const MOST = 96_000_000; // bytes of greys that are kept, so that scrolling back asks for nothing

export function address(picture, what, view) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (value !== null && value !== undefined) query.set(name, Array.isArray(value) ? value.join(",") : value);
  }
  return `api/pictures/${picture}/${what}${query.size ? `?${query}` : ""}`;
}

export class Greys {
  constructor(bytes, headers) {
    const shape = headers.get("X-Shape").split(",").map(Number);
    [this.height, this.width] = shape;
    this.colours = shape.length === 3;
    this.values = new KINDS[headers.get("X-Type")](bytes);
    this.size = bytes.byteLength;
    this.window = headers.get("X-Window") ? headers.get("X-Window").split(",").map(Number) : null;
    this.padding = headers.get("X-Padding") === "" ? null : Number(headers.get("X-Padding"));
    this.inverted = headers.get("X-Inverted") === "1";
  }

  // From the smallest to the largest value, as a window.
  get range() {
    let low = Infinity, high = -Infinity;
    for (const value of this.values) {
      if (value === this.padding || Number.isNaN(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low < high ? [(low + high) / 2 + 0.5, high - low + 1] : [128, 256];
  }

  // Writes the picture into `image` (ImageData of the same size).
  show(window, image) {
    const out = new Uint32Array(image.data.buffer);
    if (this.colours) {
      for (let at = 0, from = 0; at < out.length; at++, from += 3) {
        out[at] = 0xff000000 | (this.values[from + 2] << 16) | (this.values[from + 1] << 8) | this.values[from];
      }
      return;
    }
    const grey = shades(window, this.inverted);
    if (this.values instanceof Float32Array) {
      for (let at = 0; at < out.length; at++) out[at] = Number.isNaN(this.values[at]) ? 0xff000000 : grey(this.values[at]);
      return;
    }
    const first = this.values instanceof Int16Array ? -32768 : 0;
    const table = new Uint32Array(this.values instanceof Uint8Array ? 256 : 65536);
    for (let at = 0; at < table.length; at++) table[at] = grey(at + first);
    if (this.padding !== null) table[this.padding - first] = 0xff000000;
    for (let at = 0; at < out.length; at++) out[at] = table[this.values[at] - first];
  }
}

// DICOM PS3.3 C.11.2.1.2, rounded as numpy rounds, as a pixel of a canvas.
function shades([centre, width], inverted) {
  return (value) => {
    const share = width === 1 ? (value > centre - 0.5 ? 1 : 0) : (value - (centre - 0.5)) / (width - 1) + 0.5;
    const level = 255 * Math.min(1, Math.max(0, share));
    const low = Math.floor(level);
    const near = level - low === 0.5 ? low + (low % 2) : Math.round(level);
    const grey = inverted ? 255 - near : near;
    return (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
  };
}

// Fetches greys; what was seen last is kept, and what is asked for twice is fetched once.
export class Shelf {
  constructor() {
    this.kept = new Map();
    this.held = 0;
  }

  get(picture, place) {
    const path = address(picture, "values", place);
    let found = this.kept.get(path);
    if (found) this.kept.delete(path);
    else {
      found = { size: 0, greys: this.fetched(path) };
      found.greys.then(
        (greys) => { found.size = greys.size; this.held += greys.size; this.makeRoom(); },
        () => this.kept.delete(path),
      );
    }
    this.kept.set(path, found);
    return found.greys;
  }

  async fetched(path) {
    const reply = await getBytes(path);
    return new Greys(await reply.arrayBuffer(), reply.headers);
  }

  makeRoom() {
    for (const [path, { size }] of this.kept) {
      if (this.held <= MOST || this.kept.size < 2) return;
      this.kept.delete(path);
      this.held -= size;
    }
  }
}
