// What the review is made of; the script fills it in. None of it comes from anybody else.
export const MARKUP = `
<div class="head">
  <h1>Review</h1>
  <div id="progress" role="progressbar" aria-label="Pairs done" aria-valuemin="0"><span id="bar"></span></div>
  <p id="counts" aria-live="polite"></p>
  <p id="who"></p>
</div>

<dialog id="hello" aria-labelledby="hello-title">
  <form method="dialog">
    <h2 id="hello-title">Who reviews?</h2>
    <p>Your decisions are kept under this name.</p>
    <label>Name <input id="name" autocomplete="username" maxlength="60" required autofocus></label>
    <button>Begin</button>
  </form>
</dialog>

<div id="work" class="work" hidden>
  <section id="picture" aria-label="Picture" tabindex="-1">
    <img id="image" alt="The picture that the question is about" draggable="false">
    <p id="no-picture" hidden>The picture cannot be shown.</p>
    <div class="tools">
      <button data-key="+" title="Zoom in (+)" aria-label="Zoom in">+</button>
      <button data-key="-" title="Zoom out (−)" aria-label="Zoom out">−</button>
      <button data-key="0" title="Whole picture (0)" aria-label="Whole picture">1:1</button>
    </div>
  </section>
  <section id="pair" aria-label="Question and answer">
    <p id="notice" role="alert" hidden></p>
    <p id="kind" class="facts"></p>
    <h2 id="question"></h2>
    <ul id="options" hidden></ul>
    <p id="answer"></p>
    <form id="edit" hidden>
      <label>Question <textarea id="edit-question" rows="3"></textarea></label>
      <label>Answer <textarea id="edit-answer" rows="3"></textarea></label>
      <p class="hint">Ctrl + Enter keeps and passes · Esc leaves</p>
    </form>
    <fieldset id="reasons"><legend>Why discard? (optional)</legend></fieldset>
    <details id="source"><summary>What it was written from</summary><p id="caption"></p><p id="facts" class="facts"></p></details>
    <div id="verdicts">
      <button data-key="p" class="pass"><kbd>P</kbd> Pass</button>
      <button data-key="d" class="discard"><kbd>D</kbd> Discard</button>
      <button data-key="e"><kbd>E</kbd> Edit</button>
      <button data-key="s"><kbd>S</kbd> Skip</button>
      <button data-key="u"><kbd>U</kbd> Undo</button>
      <button data-key="?"><kbd>?</kbd> Keys</button>
    </div>
  </section>
</div>
<p id="end" hidden>Nothing is left for you. Thank you.</p>

<dialog id="keys" aria-labelledby="keys-title">
  <form method="dialog">
    <h2 id="keys-title">Keys</h2>
    <dl>
      <dt><kbd>P</kbd></dt><dd>pass</dd>
      <dt><kbd>D</kbd></dt><dd>discard, with the tags that are marked</dd>
      <dt><kbd>1</kbd> … <kbd>6</kbd></dt><dd>mark a tag</dd>
      <dt><kbd>E</kbd></dt><dd>edit; <kbd>Ctrl</kbd> + <kbd>Enter</kbd> passes what you wrote</dd>
      <dt><kbd>S</kbd></dt><dd>skip: somebody else shall decide</dd>
      <dt><kbd>U</kbd></dt><dd>take back the last decision</dd>
      <dt><kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd></dt><dd>zoom; drag moves, the wheel zooms too</dd>
    </dl>
    <button>Close</button>
  </form>
</dialog>
`;
