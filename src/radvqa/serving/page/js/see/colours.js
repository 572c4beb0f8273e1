// The colours of maps: inferno without its darkest quarter, even to the eye, safe for the colour-blind, bright on black.
const POINTS = [
  [87, 16, 110], [125, 30, 109], [163, 44, 97], [199, 62, 76], [228, 90, 49], [246, 128, 19], [252, 172, 17], [245, 219, 76], [252, 255, 164],
];

// A share from 0 to 1 → [red, green, blue].
export function colour(share) {
  const at = Math.min(1, Math.max(0, share)) * (POINTS.length - 1);
  const low = Math.min(POINTS.length - 2, Math.floor(at));
  return POINTS[low].map((value, part) => Math.round(value + (at - low) * (POINTS[low + 1][part] - value)));
}

export const css = (share) => `rgb(${colour(share).join(" ")})`;
