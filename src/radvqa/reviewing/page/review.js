// The review page: shows one pair at a time, holds a few more ready, and sends decisions in the order they were made.
// A decision is kept in this browser until the server has it, so that a reload or a killed server loses none.
import { answered, ask } from "./server.js";
import { Picture } from "./picture.js";

const AHEAD = 4; // pairs that are held ready, with their pictures
const WAITING = "radvqa-review-waiting";
const NAME = "radvqa-review-name";

const $ = (id) => document.getElementById(id);
const picture = new Picture($("picture"), $("image"), $("no-picture"));
let reviewer = "";
let held = []; // the first one is shown
let waiting = JSON.parse(localStorage.getItem(WAITING) ?? "[]"); // decisions that the server does not have yet
let sending = false;
let reasons = {};
let editing = false;

function save() {
  localStorage.setItem(WAITING, JSON.stringify(waiting));
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function show() {
  const pair = held[0];
  $("work").hidden = !pair;
  $("end").hidden = Boolean(pair) || !reviewer;
  if (!pair) return;
  leaveEdit();
  $("question").textContent = pair.question;
  $("answer").textContent = pair.answer;
  $("caption").textContent = pair.caption;
  $("facts").textContent = Object.entries(pair.facts).map(([name, text]) => `${name}: ${text}`).join(" · ");
  $("source").hidden = !pair.caption;
  $("kind").replaceChildren(new Text(`${[pair.kind, pair.modality, pair.organ].filter(Boolean).join(" · ")} `),
    ...pair.flags.map((flag) => Object.assign(document.createElement("span"), { className: "flag", textContent: flag })));
  $("options").hidden = !pair.options.length;
  $("options").replaceChildren(...pair.options.map((option) => Object.assign(document.createElement("li"), { textContent: option })));
  for (const box of document.querySelectorAll("#reasons input")) box.checked = false;
  picture.show(pair.picture);
  for (const next of held.slice(1)) picture.prepare(next.picture);
  document.body.dataset.pair = pair.id;
}

function count(progress) {
  $("progress").setAttribute("aria-valuemax", progress.pairs);
  $("progress").setAttribute("aria-valuenow", progress.done);
  $("bar").style.width = `${(100 * progress.done) / Math.max(1, progress.pairs)}%`;
  $("counts").textContent = `${progress.done} of ${progress.pairs} · you: ${progress.pass} passed, ${progress.discard} discarded, ${progress.skip} skipped`;
}

async function fetchMore() {
  const known = [...held.map((pair) => pair.id), ...waiting.map((decision) => decision.pair)];
  const found = await ask("api/next", { reviewer, count: AHEAD + 1 - held.length, after: known });
  const wasEmpty = !held.length;
  const ids = new Set(held.map((pair) => pair.id));
  held.push(...found.pairs.filter((pair) => !ids.has(pair.id)));
  count(found.progress);
  if (wasEmpty) show();
}

// Decisions go one after another; what the server refuses is told and dropped, what it does not answer is tried again.
async function send() {
  if (sending) return;
  sending = true;
  while (waiting.length) {
    const sent = waiting[0];
    try {
      await ask("api/decide", sent);
    } catch (error) {
      if (!answered(error)) {
        notice(`The server does not answer; ${waiting.length} decision(s) are kept here and sent when it does.`);
        await new Promise((done) => setTimeout(done, 1000));
        continue;
      }
      notice(error.message);
    }
    waiting.shift();
    save();
    if (!waiting.length && $("notice").textContent.startsWith("The server")) notice("");
  }
  sending = false;
  try {
    await fetchMore();
  } catch (error) {
    if (answered(error)) notice(error.message);
    else setTimeout(send, 1000);
  }
}

function decide(verdict, changes = {}) {
  const pair = held.shift();
  if (!pair) return;
  const tags = [...document.querySelectorAll("#reasons input:checked")].map((box) => box.value);
  waiting.push({ pair: pair.id, reviewer, verdict, reasons: verdict === "discard" ? tags : [], token: crypto.randomUUID(), ...changes });
  save();
  show();
  send();
}

async function undo() {
  if (waiting.length) return notice("One moment: the last decision is still on its way.");
  const found = await ask("api/undo", { reviewer });
  if (!found.pair) return notice("There is nothing to take back.");
  notice("");
  held = [found.pair, ...held.filter((pair) => pair.id !== found.pair.id)];
  count(found.progress);
  show();
}

function beginEdit() {
  editing = true;
  $("edit").hidden = false;
  $("edit-question").value = held[0].question;
  $("edit-answer").value = held[0].answer;
  $("edit-question").focus();
}

function leaveEdit() {
  editing = false;
  $("edit").hidden = true;
  document.activeElement?.blur();
}

function keepEdit() {
  const [question, answer] = [$("edit-question").value.trim(), $("edit-answer").value.trim()];
  if (!question || !answer) return notice("Question and answer must not be empty; discard the pair instead.");
  notice("");
  decide("pass", {
    question: question === held[0].question ? null : question,
    answer: answer === held[0].answer ? null : answer,
  });
}

function press(key) {
  if (key === "?") return $("keys").showModal();
  if (key === "u") return undo();
  if (!held.length) return;
  if (key === "p") decide("pass");
  else if (key === "d") decide("discard");
  else if (key === "s") decide("skip");
  else if (key === "e") beginEdit();
  else if (key === "+" || key === "=") picture.zoom(1.25);
  else if (key === "-") picture.zoom(0.8);
  else if (key === "0") picture.whole();
  else if (/^[1-9]$/.test(key)) {
    const box = document.querySelectorAll("#reasons input")[Number(key) - 1];
    if (box) box.checked = !box.checked;
  }
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (editing) {
    if (event.key === "Escape") leaveEdit();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keepEdit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (!/^[pdesu?+=\-0-9]$/.test(key)) return;
  event.preventDefault(); // or the letter that opens the editor is written into it
  press(key);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-key]");
  // the second click of a double click would judge a pair that nobody has read
  if (button && (event.detail < 2 || /[+\-0]/.test(button.dataset.key))) {
    button.blur();
    press(button.dataset.key);
  }
});
$("edit").addEventListener("submit", (event) => event.preventDefault());
$("hello").addEventListener("close", () => begin($("name").value));
$("hello").addEventListener("cancel", (event) => event.preventDefault());

async function begin(name) {
  reviewer = name.trim();
  if (!reviewer) return $("hello").showModal();
  localStorage.setItem(NAME, reviewer);
  $("who").textContent = reviewer;
  try {
    reasons = (await ask("api/tags", {})).reasons;
  } catch (error) {
    $("work").hidden = false;
    notice(answered(error) ? error.message : "The server does not answer; reload when it runs again.");
    return;
  }
  $("reasons").append(...Object.entries(reasons).map(([value, title], number) => {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value });
    const label = document.createElement("label");
    label.append(box, ` ${number + 1} · ${title}`);
    return label;
  }));
  await send();
}

const known = localStorage.getItem(NAME);
if (known) begin(known);
else $("hello").showModal();
