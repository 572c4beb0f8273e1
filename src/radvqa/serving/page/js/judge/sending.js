// Sends something that must count once: what the service refuses is thrown, what it does not answer is sent again.
import { answered, post } from "../api.js";

const PAUSE = 1500; // milliseconds before the next try

export async function sendUntilKept(path, body, { onWait, wanted }) {
  for (;;) {
    try {
      return await post(path, body);
    } catch (error) {
      if (answered(error) || !wanted()) throw error;
      onWait("The service does not answer. What you said is kept here and sent when it does.");
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }
}

export const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Whether a key is meant for what is written into, or for the browser.
export const elsewhere = (event) =>
  event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]") !== null ||
  (event.target instanceof Element && event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])"));
