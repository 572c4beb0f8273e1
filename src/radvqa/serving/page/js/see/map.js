// A map as the service sends it → a canvas to be laid over the picture, and the scale of its colours.
import { h } from "../dom.js";
import { colour, css } from "./colours.js";

export function bytes(base64) {
  const text = atob(base64);
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}

export function floats(base64) {
  const found = bytes(base64);
  return new Float32Array(found.buffer);
}

// Paints a map; where it is below the threshold the picture stays as it is, above it the colour comes in gently.
export function painted(map, threshold = 0) {
  const values = bytes(map.data);
  const canvas = h("canvas", { width: map.columns, height: map.rows });
  const draw = canvas.getContext("2d");
  const image = draw.createImageData(map.columns, map.rows);
  for (let at = 0; at < values.length; at++) {
    const share = values[at] / 255;
    const over = threshold < 1 ? (share - threshold) / (1 - threshold) : 0;
    if (share <= 0 || over < 0) continue;
    image.data.set(colour(share), 4 * at);
    image.data[4 * at + 3] = 255 * Math.min(1, threshold > 0 ? 0.35 + 0.65 * over : over ** 0.7);
  }
  draw.putImageData(image, 0, 0);
  return canvas;
}

// The scale: from nothing to the most that this map has.
export function legend() {
  const canvas = h("canvas", { width: 64, height: 1, class: "scale", role: "img", "aria-label": "Colours from dark violet, a little, to light yellow, most" });
  const draw = canvas.getContext("2d");
  for (let at = 0; at < 64; at++) {
    draw.fillStyle = css(at / 63);
    draw.fillRect(at, 0, 1, 1);
  }
  return h("div", { class: "legend small quiet" }, h("span", {}, "little"), canvas, h("span", {}, "most of this map"));
}
