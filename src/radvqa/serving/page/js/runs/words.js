// How runs are written: states, times, scores with their intervals.
import { h, percent } from "../dom.js";

const SILENT = 900; // seconds after which a training that writes nothing may have been stopped

export const running = (run) => run.state === "training" && (run.quiet_seconds ?? Infinity) < SILENT;

export function stateOf(run) {
  if (run.state === "finished") return h("span", { class: "good" }, "finished");
  if (run.state === "unreadable") return h("span", { class: "bad", title: run.problem }, "unreadable");
  if (running(run)) return h("span", { class: "accent" }, "training");
  return h("span", { class: "warn", title: "It was not trained to its end, and nothing was written for a while." }, "not finished");
}

export function ago(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} days ago`;
}

export const when = (text) => text.replace("T", " ").replace(/:\d\dZ$/, "").replace("Z", "");

export const whole = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));

export const limits = (interval) => (interval ? `[${interval.map((limit) => (100 * limit).toFixed(1)).join(", ")}]` : "");

export function scoreOf(score) {
  if (!score) return h("span", { class: "quiet" }, "not scored");
  return h("span", { class: "score" },
    h("span", { class: "number" }, h("strong", {}, percent(score.accuracy)), ` ${limits(score.interval)}`),
    h("span", { class: "quiet small" }, `${score.dataset} ${score.split}, ${whole(score.questions)} questions`));
}

export const runLink = (name) => `#/runs/${encodeURIComponent(name)}`;
