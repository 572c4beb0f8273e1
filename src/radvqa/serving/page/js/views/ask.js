import { h } from "../dom.js";
import { state } from "../state.js";
import { mountPicking } from "../viewer/picking.js";
import { Viewer } from "../viewer/viewer.js";

export const title = "Ask";

export function mount(root) {
  const picking = h("div");
  const seen = h("div");
  root.append(h("div", { class: "stack" }, picking, seen));
  let viewer = null;
  return mountPicking(picking, {
    onPicture: async (facts) => {
      viewer ??= new Viewer(seen);
      state.set({ picture: facts });
      await viewer.show(facts);
    },
  });
}
