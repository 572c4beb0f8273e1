// What the views share while the page is open: the picture, the question, the models and the last answers.
class State extends EventTarget {
  picture = null; // facts of the picture, as POST /api/pictures gives them
  view = {}; // which frame or slice, and the window: as the viewer shows it
  question = "";
  models = []; // as GET /api/models lists them
  chosen = []; // names of the models to be asked
  answers = new Map(); // model → the last `answer` event about this picture and question

  set(values) {
    Object.assign(this, values);
    this.dispatchEvent(new CustomEvent("change", { detail: Object.keys(values) }));
  }
}

export const state = new State();
