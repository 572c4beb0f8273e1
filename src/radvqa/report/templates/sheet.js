"use strict";
// The review sheet: one question at a time; what is filled in is kept in this browser and saved as CSV.
(function () {
  const $ = (id) => document.getElementById(id);
  const { key, columns, rows } = JSON.parse($("data").textContent);
  const { pictures, maps } = JSON.parse($("pictures").textContent);
  const MEMORY = "radvqa-sheet-" + key;
  const radios = [...document.querySelectorAll("input[name=verdict]")];
  const filled = { reviewer: "", at: 0, said: {}, ...remembered() };
  let withMap = false;

  function remembered() {
    try {
      return JSON.parse(localStorage.getItem(MEMORY)) || {};
    } catch {
      return {};
    }
  }

  function remember() {
    try {
      localStorage.setItem(MEMORY, JSON.stringify(filled));
    } catch {
      notice("This browser keeps nothing for this page: save as CSV before you close it.");
    }
  }

  function notice(text) {
    $("notice").textContent = text;
  }

  function here() {
    return rows[filled.at];
  }

  function said(row) {
    return filled.said[row.id] || { verdict: "", failure: "", comment: "" };
  }

  function show() {
    const row = here(), answer = said(row);
    $("question").textContent = row.question;
    $("gold").textContent = row.gold || "(nothing)";
    $("prediction").textContent = row.prediction || "(nothing)";
    $("confidence").textContent = row.confidence ? ", says it is " + Math.round(100 * row.confidence) + " % sure" : "";
    $("why").textContent = row.why ? "On this sheet: " + row.why : "";
    for (const radio of radios) radio.checked = radio.value === answer.verdict;
    $("failure").value = answer.failure;
    $("comment").value = answer.comment;
    $("before").disabled = filled.at === 0;
    $("after").disabled = filled.at === rows.length - 1;
    draw();
    count();
    document.body.dataset.question = row.id;
  }

  function draw() {
    const row = here(), map = maps[row.id], picture = (withMap && map) || pictures[row.image] || "";
    $("image").hidden = !picture;
    $("no-picture").hidden = Boolean(picture);
    if (picture) $("image").src = picture;
    $("image").alt = "Picture " + row.image + (withMap && map ? ", with the map of the answer" : "");
    $("map").hidden = !map;
    $("map").setAttribute("aria-pressed", String(withMap));
    $("map").textContent = withMap ? "Hide the map (m)" : "Show the map (m)";
  }

  function count() {
    const done = rows.filter((row) => said(row).verdict).length;
    $("count").textContent = "Question " + (filled.at + 1) + " of " + rows.length + ", " + done + " judged";
    [...$("dots").children].forEach((dot, place) => {
      const judged = Boolean(said(rows[place]).verdict);
      dot.classList.toggle("done", judged);
      dot.setAttribute("aria-label", "Question " + (place + 1) + (judged ? ", judged" : ", not judged"));
      if (place === filled.at) dot.setAttribute("aria-current", "true");
      else dot.removeAttribute("aria-current");
    });
  }

  function keep() {
    const verdict = radios.find((radio) => radio.checked);
    filled.said[here().id] = {
      verdict: verdict ? verdict.value : "",
      failure: $("failure").value,
      comment: $("comment").value,
    };
    remember();
    count();
  }

  function go(place) {
    if (place < 0 || place >= rows.length) return;
    filled.at = place;
    withMap = false;
    notice("");
    remember();
    show();
    window.scrollTo({ top: 0 });
  }

  // A cell that a spreadsheet would take for a formula gets an apostrophe, which reading takes off again.
  function cell(text) {
    const guarded = /^'*[=+\-@\t\r\n]/.test(text) ? "'" + text : text;
    return /[",;\r\n\t]/.test(guarded) ? '"' + guarded.replaceAll('"', '""') + '"' : guarded;
  }

  function csv() {
    const reviewer = filled.reviewer.trim();
    const lines = rows.map((row) => {
      const answer = said(row), values = { ...row, ...answer, reviewer: answer.verdict ? reviewer : "" };
      return columns.map((column) => cell(values[column] || "")).join(",");
    });
    return "\ufeff" + [columns.join(","), ...lines].join("\r\n") + "\r\n";
  }

  function save() {
    if (!filled.reviewer.trim()) {
      notice("Write your name or initials first, so that sheets of several reviewers can be compared.");
      $("reviewer").focus();
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
    link.download = "sheet-" + filled.reviewer.trim().replace(/[^A-Za-z0-9]+/g, "-") + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    const open = rows.filter((row) => !said(row).verdict).length;
    notice("Saved as " + link.download + (open ? "; " + open + " questions have no verdict yet." : "; every question is judged."));
  }

  rows.forEach((row, place) => {
    const dot = document.createElement("button");
    dot.type = "button";
    dot.textContent = String(place + 1);
    dot.addEventListener("click", () => go(place));
    $("dots").append(dot);
  });
  for (const radio of radios) radio.addEventListener("change", keep);
  for (const id of ["failure", "comment"]) $(id).addEventListener("input", keep);
  $("reviewer").value = filled.reviewer;
  $("reviewer").addEventListener("input", () => {
    filled.reviewer = $("reviewer").value;
    remember();
  });
  $("form").addEventListener("submit", (event) => event.preventDefault());
  $("before").addEventListener("click", () => go(filled.at - 1));
  $("after").addEventListener("click", () => go(filled.at + 1));
  $("save").addEventListener("click", save);
  $("clear").addEventListener("click", () => {
    delete filled.said[here().id];
    remember();
    show();
  });
  $("map").addEventListener("click", () => {
    withMap = !withMap;
    draw();
  });
  document.addEventListener("keydown", (event) => {
    const writing = event.target.matches("textarea, input:not([type=radio])");
    if (writing || event.altKey || event.ctrlKey || event.metaKey) return;
    const number = Number(event.key);
    if (number >= 1 && number <= radios.length) {
      radios[number - 1].checked = true;
      keep();
    } else if (event.key === "ArrowRight" || event.key === "j") go(filled.at + 1);
    else if (event.key === "ArrowLeft" || event.key === "k") go(filled.at - 1);
    else if (event.key === "m" && maps[here().id]) $("map").click();
    else return;
    event.preventDefault();
  });
  filled.at = Math.min(Math.max(0, filled.at), rows.length - 1);
  if (rows.length) show();
  else notice("There is nothing to judge.");
})();
