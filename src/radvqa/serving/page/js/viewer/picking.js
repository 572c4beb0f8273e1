// Taking a picture in: dropped anywhere on the view, pasted, from a file, or a sample of a data set.
import { sendFile } from "../api.js";
import { h, replace, shownError, stylesheet } from "../dom.js";
import { sampleDialog } from "./samples.js";

const KINDS = "PNG, JPEG, TIFF, BMP, GIF, WebP, DICOM or NIfTI";

// Mounts the drop zone in `root`; calls `onPicture(facts)`. Returns what takes the listeners away again.
// `zone` is where files may be dropped, the whole page by default.
export function mountPicking(root, { onPicture, zone = document.documentElement }) {
  stylesheet("picking");
  const ended = new AbortController();
  const problem = h("div", { class: "problem", "aria-live": "polite" });
  const busy = h("p", { class: "taking", hidden: true, role: "status" });
  const input = h("input", { type: "file", class: "file", "aria-label": "Picture file", tabindex: "-1", onchange: () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  } });
  const curtain = h("div", { class: "curtain", hidden: true }, h("p", {}, "Drop the picture"));
  let sending = null;

  async function taken(what, work) {
    sending?.abort();
    const mine = (sending = new AbortController());
    replace(problem);
    replace(busy, h("span", { class: "busy", "aria-hidden": "true" }), " ", h("span", {}, what), " ",
      h("button", { type: "button", class: "chip", onclick: () => mine.abort() }, "Cancel"));
    busy.hidden = false;
    try {
      const facts = await work(mine.signal);
      if (mine === sending) await onPicture(facts);
    } catch (error) {
      if (error.name !== "AbortError") replace(problem, shownError(error));
    } finally {
      if (mine === sending) busy.hidden = true;
    }
  }

  const take = (file) => taken("Taking the picture in …", (signal) =>
    sendFile("api/pictures", file, { "X-Name": encodeURIComponent(file.name ?? "") }, signal));

  function first(list, refused) {
    const files = [...(list ?? [])].filter((one) => one instanceof File);
    if (files.length > 1) replace(problem, shownError(new Error("Give one picture at a time; the first was taken.")));
    if (files[0]) take(files[0]);
    else if (refused) replace(problem, shownError(new Error(refused)));
  }

  const on = (target, event, act) => target.addEventListener(event, act, { signal: ended.signal });
  const holdsFile = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  on(zone, "dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    curtain.hidden = false;
  });
  on(zone, "dragleave", (event) => {
    if (!event.relatedTarget || !zone.contains(event.relatedTarget)) curtain.hidden = true;
  });
  on(zone, "drop", (event) => {
    curtain.hidden = true;
    if (!event.dataTransfer) return;
    event.preventDefault();
    first(event.dataTransfer.files, "That was no file.");
  });
  on(document, "paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return; // text goes where it was meant
    event.preventDefault();
    first(files);
  });

  const samples = sampleDialog((facts) => taken("Fetching the sample …", facts));
  replace(root, h("div", { class: "picking" },
    h("div", { class: "invite" },
      h("div", { class: "row" },
        h("button", { type: "button", class: "main", onclick: () => input.click() }, "Choose a picture"),
        h("button", { type: "button", onclick: () => samples.open() }, "Choose a sample")),
      h("p", { class: "small quiet" }, `Or drop it here, or paste it. ${KINDS}. It stays in this service.`)),
    input, busy, problem, samples.element), curtain);

  return () => {
    ended.abort();
    sending?.abort();
    samples.close();
    replace(root);
  };
}
