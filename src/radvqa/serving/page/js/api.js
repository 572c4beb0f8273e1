// Talks to the service: JSON, and streams of events. What the service refuses comes as `Refused` with its sentence.
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export const answered = (error) => error instanceof Refused;
export const stopped = (error) => error.name === "AbortError";

async function checked(reply) {
  if (reply.ok) return reply;
  let said = `The service answered with ${reply.status}.`;
  try {
    const detail = (await reply.json()).detail;
    if (typeof detail === "string") said = detail;
    else if (Array.isArray(detail) && detail[0]?.msg) said = detail.map((one) => `${one.loc?.at(-1)}: ${one.msg}`).join("; ");
  } catch { /* no JSON: the number says what is known */ }
  if (reply.status === 401) location.assign("login");
  throw new Refused(said, reply.status);
}

async function reach(path, options) {
  try {
    return await fetch(path, { cache: "no-store", ...options });
  } catch (error) {
    if (stopped(error)) throw error;
    throw new Error("The service cannot be reached. Is `radvqa serve` still running?");
  }
}

export const get = async (path, signal) => (await checked(await reach(path, { signal }))).json();

export const getBytes = async (path, signal) => checked(await reach(path, { signal }));

const asJson = (body, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

export const post = async (path, body, signal) => (await checked(await reach(path, asJson(body, signal)))).json();

export const postBytes = async (path, body, signal) => checked(await reach(path, asJson(body, signal)));

export const sendFile = async (path, file, headers, signal) =>
  (await checked(await reach(path, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream", ...headers }, signal }))).json();

export const remove = async (path) => checked(await reach(path, { method: "DELETE" }));

// Calls `on[event](data)` for every event; ends with the stream. The event `failed` is thrown.
export async function stream(path, body, on, signal) {
  const reply = await checked(await reach(path, asJson(body, signal)));
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const event = /^event: (.*)$/m.exec(part)?.[1];
      const data = JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? "{}");
      if (event === "failed") throw new Refused(data.error);
      on[event]?.(data);
    }
  }
}
