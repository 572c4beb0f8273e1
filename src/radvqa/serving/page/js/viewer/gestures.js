// Mouse, fingers, wheel and keys on the picture.
const CLICK = 4; // pixels that a hand may shake in a click
const PACE = 1 / 350; // of a window's width, for a pixel

export function gestures(viewer) {
  const { canvas, stage } = viewer;
  const fingers = new Map();
  let drag = null;
  let pinch = null;

  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    if (fingers.size === 2) {
      pinch = pair(fingers);
      drag = null;
    } else if (fingers.size === 1) {
      drag = { ...at(event), far: 0, levels: event.button === 2 || viewer.tool === "window", left: event.button === 0 };
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const now = at(event);
    fingers.set(event.pointerId, now);
    if (pinch && fingers.size === 2) {
      const next = pair(fingers);
      viewer.zoomBy(next.apart / pinch.apart, next.x, next.y);
      viewer.panBy(next.x - pinch.x, next.y - pinch.y);
      pinch = next;
    } else if (drag) {
      const [dx, dy] = [now.x - drag.x, now.y - drag.y];
      drag.far += Math.abs(dx) + Math.abs(dy);
      Object.assign(drag, now);
      if (drag.levels && viewer.canWindow) viewer.shiftWindow(-dy * PACE, dx * PACE * 2);
      else viewer.panBy(dx, dy);
    }
  });

  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (drag && drag.far < CLICK && drag.left && event.type === "pointerup") viewer.pick(drag.x, drag.y);
    drag = null;
    if (fingers.size < 2) pinch = null;
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("dblclick", () => viewer.reset());

  let turned = 0;
  canvas.addEventListener("wheel", (event) => {
    if (!viewer.greys || (viewer.place.zoom === 1 && event.deltaY > 0 && !event.shiftKey)) return; // the page scrolls
    event.preventDefault();
    if (event.shiftKey && viewer.count > 1) {
      turned += event.deltaY || event.deltaX;
      const steps = Math.trunc(turned / 40);
      turned -= steps * 40;
      if (steps) viewer.go(viewer.number + Math.sign(steps));
      return;
    }
    const { x, y } = at(event);
    viewer.zoomBy(Math.exp(-event.deltaY / 500), x, y);
  }, { passive: false });

  canvas.addEventListener("keydown", async (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act || !viewer.greys) return;
    event.preventDefault();
    await act(viewer, event.shiftKey);
    if (event.key.startsWith("Page") || event.key === "Home" || event.key === "End") viewer.controls.say();
  });
}

const STEP = 40; // pixels that an arrow key moves the picture

// With many slices the arrows up and down go through them while the picture is not enlarged.
const along = (viewer, dx, dy) =>
  viewer.place.zoom === 1 && viewer.count > 1 ? viewer.go(viewer.number + Math.sign(dx - dy)) : viewer.panBy(-dx * STEP, -dy * STEP);

const KEYS = {
  "+": (viewer) => viewer.zoomBy(1.25),
  "=": (viewer) => viewer.zoomBy(1.25),
  "-": (viewer) => viewer.zoomBy(0.8),
  "0": (viewer) => viewer.reset(),
  ArrowLeft: (viewer) => along(viewer, -1, 0),
  ArrowRight: (viewer) => along(viewer, 1, 0),
  ArrowUp: (viewer) => along(viewer, 0, -1),
  ArrowDown: (viewer) => along(viewer, 0, 1),
  PageUp: (viewer) => viewer.go(viewer.number + 1),
  PageDown: (viewer) => viewer.go(viewer.number - 1),
  Home: (viewer) => viewer.go(0),
  End: (viewer) => viewer.go(viewer.count - 1),
  w: (viewer, shift) => viewer.shiftWindow(0, shift ? -0.1 : 0.1),
  l: (viewer, shift) => viewer.shiftWindow(shift ? -0.03 : 0.03, 0),
};

function pair(fingers) {
  const [one, two] = fingers.values();
  return { x: (one.x + two.x) / 2, y: (one.y + two.y) / 2, apart: Math.max(1, Math.hypot(one.x - two.x, one.y - two.y)) };
}
