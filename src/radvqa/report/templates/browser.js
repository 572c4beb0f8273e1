"use strict";
// Shows questions from the JSON beside it, a page of cards at a time. Text reaches the page as text only.
(function () {
  const PAGE = 24, SHOWN = 500;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    for (const child of children) if (child !== null) element.append(child);
    return element;
  }

  function start(root) {
    const data = JSON.parse(root.querySelector("script.data").textContent);
    const { runs, groups, columns, answers, right, confidence, texts } = data;
    const count = columns.id.length, several = runs.length > 1;
    let pictures = null, rows = [], page = 0;
    const controls = {};

    // Who can be asked to be right or wrong: every run, and all seeds of a recipe together.
    const sides = groups.filter((group) => group.runs.length > 1)
      .map((group) => ({ name: group.name + " (all " + group.runs.length + " seeds)", runs: group.runs }))
      .concat(runs.map((name, run) => ({ name, runs: [run] })));

    const rights = new Uint16Array(count);
    for (let row = 0; row < count; row++) for (const sheet of right) if (sheet[row] === "1") rights[row]++;

    const kinds = several
      ? [["differ", "Some right, some wrong", (n) => n > 0 && n < runs.length],
         ["none", "All wrong", (n) => n === 0],
         ["all", "All right", (n) => n === runs.length],
         ["any", "All questions", () => true]]
      : [["none", "Wrong", (n) => n === 0], ["all", "Right", (n) => n === 1], ["any", "All questions", () => true]];

    function labelled(label, control) {
      return make("label", { class: "control" }, make("span", {}, label), control);
    }

    function choice(key, label, options) {
      const select = make("select", {});
      for (const [value, text] of options) select.append(make("option", { value }, text));
      select.addEventListener("change", update);
      controls[key] = select;
      return labelled(label, select);
    }

    function values(column) {
      const counts = new Map();
      for (const text of columns[column]) counts.set(text, (counts.get(text) || 0) + 1);
      counts.delete(texts.indexOf(""));
      return [...counts].sort((a, b) => texts[a[0]].localeCompare(texts[b[0]]));
    }

    function build() {
      const form = make("form", { class: "controls", role: "search", "aria-label": "Choose questions" });
      form.addEventListener("submit", (event) => event.preventDefault());
      const tally = kinds.map(([key, text, test]) => [key, text + " (" + rights.filter(test).length.toLocaleString("en") + ")"]);
      form.append(choice("show", "Show", tally));
      if (several) {
        const named = sides.map((side, index) => [index, side.name]);
        form.append(choice("right", "Right", [["", "anyone"], ...named]));
        form.append(choice("wrong", "Wrong", [["", "anyone"], ...named]));
      }
      for (const [column, label] of [["kind", "Question type"], ["type", "Answer type"], ["organ", "Organ"], ["modality", "Modality"]]) {
        const found = values(column);
        if (found.length > 1) {
          form.append(choice(column, label, [["", "any"], ...found.map(([text, n]) => [text, texts[text] + " (" + n + ")"])]));
        }
      }
      if (confidence.some((sheet) => sheet.some((value) => value >= 0))) {
        form.append(choice("sort", "Order", [["", "as in the data"], ["sure", "most confident mistake first"], ["unsure", "least confident first"]]));
      }
      controls.text = make("input", { type: "search", placeholder: "words in question or answer", autocomplete: "off" });
      controls.text.addEventListener("input", update);
      form.append(labelled("Search", controls.text));
      const reset = make("button", { type: "reset" }, "Reset");
      form.addEventListener("reset", () => setTimeout(update, 0));
      form.append(make("div", { class: "control" }, reset));
      return form;
    }

    function matching() {
      const show = kinds.find((kind) => kind[0] === controls.show.value)[2];
      const needed = [["right", "1"], ["wrong", "0"]]
        .filter(([key]) => controls[key] && controls[key].value !== "")
        .flatMap(([key, sign]) => sides[controls[key].value].runs.map((run) => [right[run], sign]));
      const exact = ["kind", "type", "organ", "modality"]
        .filter((key) => controls[key] && controls[key].value !== "")
        .map((key) => [columns[key], Number(controls[key].value)]);
      const query = controls.text.value.trim().toLowerCase();
      const hit = query ? texts.map((text) => text.toLowerCase().includes(query)) : null;
      const searched = [columns.question, columns.truth, columns.id, columns.image, ...answers];
      const found = [];
      for (let row = 0; row < count; row++) {
        if (show(rights[row]) && needed.every(([sheet, sign]) => sheet[row] === sign) &&
            exact.every(([column, text]) => column[row] === text) &&
            (!hit || searched.some((column) => hit[column[row]]))) found.push(row);
      }
      return found;
    }

    function sorted(found) {
      const order = controls.sort ? controls.sort.value : "";
      if (!order) return found;
      const key = new Map(found.map((row) => {
        const known = runs.map((_, run) => run).filter((run) => confidence[run][row] >= 0 &&
          (order === "unsure" || right[run][row] === "0")).map((run) => confidence[run][row]);
        return [row, known.length ? (order === "sure" ? -Math.max(...known) : Math.min(...known)) : Infinity];
      }));
      return found.sort((a, b) => (key.get(a) === key.get(b) ? a - b : key.get(a) - key.get(b)));
    }

    function clipped(text) {
      return text.length > SHOWN ? text.slice(0, SHOWN) + "… (" + text.length.toLocaleString("en") + " letters in this page)" : text;
    }

    // Long names may break after a mark, and not within a word.
    function breakable(name) {
      return name.replace(/[_/-]/g, (mark) => mark + "\u200b");
    }

    function picture(row) {
      const place = data.picture[row], name = texts[columns.image[row]];
      if (place < 0) return make("div", { class: "nothing" }, "no picture in this page");
      if (pictures === null) pictures = JSON.parse(root.querySelector("script.pictures").textContent);
      return make("img", { src: pictures[place], alt: "Picture " + name, decoding: "async" });
    }

    // Seeds of one recipe that answer alike share a line.
    function lines(row) {
      const found = [];
      for (const group of groups) {
        const alike = new Map();
        for (const run of group.runs) {
          const key = answers[run][row];
          alike.set(key, [...(alike.get(key) || []), run]);
        }
        for (const [text, members] of alike) {
          const known = members.map((run) => confidence[run][row]).filter((value) => value >= 0);
          found.push({
            who: group.name,
            seeds: group.runs.length > 1 ? members.length + " of " + group.runs.length + " seeds" : "",
            answer: texts[text],
            right: right[members[0]][row] === "1",
            confidence: known.length ? known.reduce((sum, value) => sum + value, 0) / known.length / 100 : null,
          });
        }
      }
      return found;
    }

    function card(row, index) {
      const list = make("dl", {});
      list.append(make("div", { class: "truth" }, make("dt", {}, "Truth"), make("dd", { dir: "auto" }, clipped(texts[columns.truth[row]]) || "(nothing)")));
      for (const line of lines(row)) {
        const said = make("dd", {}, make("span", { class: "answer", dir: "auto" }, clipped(line.answer) || "(nothing)"),
          make("span", { class: "unseen" }, line.right ? " (right)" : " (wrong)"));
        if (line.confidence !== null) said.append(make("span", { class: "sure" }, " p " + line.confidence.toFixed(2)));
        list.append(make("div", { class: line.right ? "right" : "wrong" },
          make("span", { class: "mark", "aria-hidden": "true" }, line.right ? "✓" : "✗"),
          make("dt", {}, breakable(line.who), line.seeds ? make("small", {}, line.seeds) : null), said));
      }
      const about = ["kind", "type", "modality", "organ"].map((column) => texts[columns[column][row]]).filter(Boolean).join(" · ");
      const heading = root.id + "-" + row;
      return make("li", {}, make("article", { class: "card example", tabindex: index ? "-1" : "0", "aria-labelledby": heading },
        picture(row),
        make("div", { class: "text" },
          make("h3", { id: heading, dir: "auto" }, clipped(texts[columns.question[row]])),
          make("p", { class: "kind" }, about ? about + " · " : "", make("span", { dir: "auto" }, texts[columns.id[row]])),
          list)));
    }

    const form = build();
    const status = make("p", { class: "status", role: "status", "aria-live": "polite" });
    const cards = make("ol", { class: "examples" });
    const before = make("button", { type: "button" }, "← Previous page"), after = make("button", { type: "button" }, "Next page →");
    const pager = make("nav", { class: "pager", "aria-label": "Pages of questions" }, before, after);
    before.addEventListener("click", () => turn(-1, 0));
    after.addEventListener("click", () => turn(1, 0));

    function draw() {
      const from = page * PAGE, until = Math.min(from + PAGE, rows.length);
      cards.replaceChildren(...rows.slice(from, until).map(card));
      cards.setAttribute("start", from + 1);
      status.textContent = rows.length
        ? rows.length.toLocaleString("en") + " of " + count.toLocaleString("en") + " questions" +
          (rows.length > PAGE ? ", " + (from + 1).toLocaleString("en") + " to " + until.toLocaleString("en") + " shown" : "")
        : "No question matches; “Reset” shows them again.";
      before.disabled = page === 0;
      after.disabled = until >= rows.length;
      pager.hidden = rows.length <= PAGE;
    }

    function update() {
      rows = sorted(matching());
      page = 0;
      draw();
    }

    function turn(step, place) {
      const last = Math.ceil(rows.length / PAGE) - 1;
      if (page + step < 0 || page + step > last) return;
      page += step;
      draw();
      focus(place < 0 ? cards.children.length - 1 : place);
    }

    function focus(place) {
      const found = cards.children[place];
      if (!found) return;
      for (const article of cards.querySelectorAll("article")) article.tabIndex = -1;
      found.firstChild.tabIndex = 0;
      found.firstChild.focus({ preventScroll: true });
      found.firstChild.scrollIntoView({ block: "nearest" });
    }

    cards.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1 }[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      const place = [...cards.children].findIndex((item) => item.contains(document.activeElement)) + step;
      event.preventDefault();
      if (place < 0 || place >= cards.children.length) turn(step, step < 0 ? -1 : 0);
      else focus(place);
    });

    root.querySelector(".place").replaceChildren(form, status, cards, pager);
    update();
  }

  for (const root of document.querySelectorAll(".browser")) start(root);
})();
