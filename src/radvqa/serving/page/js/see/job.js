// One piece of slow work at a time: its progress, its Cancel button, and what to do when it did not come to an end.
import { stopped, stream } from "../api.js";
import { h, replace } from "../dom.js";

export class Job {
  constructor(again) {
    this.again = again; // says what to do after Cancel
    this.bar = h("progress", { max: 1, "aria-label": "Progress" });
    this.text = h("span", { class: "small" });
    this.cancel = h("button", { type: "button", class: "chip", onclick: () => this.stop() }, "Cancel");
    this.busy = h("div", { class: "job-busy", hidden: true }, this.bar, this.cancel, this.text);
    this.note = h("div", { "aria-live": "polite" });
    this.element = h("div", { class: "job" }, this.busy, this.note);
  }

  stop() {
    this.running?.abort();
  }

  say(...children) {
    replace(this.note, ...children);
  }

  // Streams events of a door to `on`; returns whether it came to its end.
  async run(path, body, on) {
    this.stop();
    const mine = (this.running = new AbortController());
    this.say();
    this.progress({ text: "Asking the service", done: 0, total: 0 });
    this.busy.hidden = false;
    const alive = (act) => (data) => {
      if (!this.element.isConnected) mine.abort();
      else if (mine === this.running) act(data);
    };
    try {
      const heard = { progress: (data) => this.progress(data), ...on };
      await stream(path, body, Object.fromEntries(Object.entries(heard).map(([name, act]) => [name, alive(act)])), mine.signal);
      return mine === this.running;
    } catch (error) {
      if (mine !== this.running) return false;
      if (stopped(error)) this.say(h("p", { class: "quiet small" }, `Stopped. ${this.again}`));
      else this.say(h("p", { class: "error", role: "alert" }, error.message));
      return false;
    } finally {
      if (mine === this.running) {
        this.running = null;
        this.busy.hidden = true;
      }
    }
  }

  progress({ text, done, total }) {
    this.text.textContent = total ? `${text}: ${done} of ${total}` : `${text} …`;
    if (total) {
      this.bar.max = total;
      this.bar.value = done;
    } else this.bar.removeAttribute("value");
  }
}
