// Whether a map is to be believed: against the model itself, against the truth, against chance.
import { h } from "../dom.js";

const figure = (value) => value.toFixed(3);
const part = (value) => `${(100 * value).toFixed(1)} %`;

export function warnings(made) {
  const found = [];
  if (made.flat) found.push("This map is the same everywhere: the method finds nothing that speaks for the answer. Try another method.");
  const { proof, place } = made;
  if (proof && !proof.deletion_holds && !proof.insertion_holds)
    found.push("Not to be trusted: a random map finds what this answer needs as well as this one. Try another method.");
  else if (proof && !(proof.deletion_holds && proof.insertion_holds))
    found.push(`To be doubted: by ${proof.deletion_holds ? "insertion" : "deletion"} a random map is as good as this one.`);
  if (place && !place.holds)
    found.push("This map lies on what the question is about no better than a spot in the middle of the picture would.");
  return made.flat ? found.slice(0, 1) : found;
}

export function evidence(made, measure) {
  const { proof, place } = made;
  const rows = [];
  if (proof) {
    rows.push(["Deletion", "How sure the model stays while the brightest parts go; small is good.", figure(proof.deletion), figure(proof.random_deletion), proof.deletion_holds]);
    rows.push(["Insertion", "How sure it gets while they come; large is good.", figure(proof.insertion), figure(proof.random_insertion), proof.insertion_holds]);
  }
  const truth = [];
  if (place) {
    truth.push(["Hit", "Whether the highest point lies on what is asked about.", part(place.hit), part(place.centre.hit), place.hit > place.centre.hit ? true : place.hit < place.centre.hit ? false : null]);
    truth.push(["Energy inside", "Share of the map that lies there.", part(place.energy), part(place.centre.energy), place.energy > place.centre.energy]);
    truth.push(["Overlap (IoU)", "Best overlap over all thresholds.", part(place.overlap), part(place.centre.overlap), place.overlap > place.centre.overlap]);
  }
  return [
    rows.length > 0 && table(rows, "Random map"),
    truth.length > 0 && table(truth, "Middle of the picture"),
    place && h("p", { class: "quiet small" }, `What the question is about takes ${part(place.area)} of the picture.`),
    !proof && !made.flat && h("div", { class: "row" }, h("button", { type: "button", onclick: measure }, "Test this map"), h("span", { class: "quiet small" }, "Takes its brightest parts away, and brings them back: 36 passes of the model.")),
  ];
}

const table = (rows, other) => h("div", { class: "scroll" }, h("table", { class: "evidence" },
  h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Evidence"), h("th", { scope: "col" }, "This map"), h("th", { scope: "col" }, other))),
  h("tbody", {}, rows.map(([name, says, mine, theirs, good]) => h("tr", {}, h("th", { scope: "row" }, name, h("span", { class: "evidence-says" }, says)), h("td", { class: good === null ? "number" : good ? "good number" : "bad number" }, `${mine} ${good === null ? "" : good ? "✓" : "✗"}`), h("td", { class: "number" }, theirs))))));
