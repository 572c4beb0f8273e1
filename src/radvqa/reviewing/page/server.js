// Asks the server; an error that it answered with is told apart from no answer at all.
class Refused extends Error {}

export const answered = (error) => error instanceof Refused;

export async function ask(path, body) {
  const reply = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    cache: "no-store",
  });
  if (reply.status >= 500) throw new Error(`HTTP ${reply.status}`);
  const content = await reply.json();
  if (!reply.ok) throw new Refused(typeof content.detail === "string" ? content.detail : `HTTP ${reply.status}`);
  return content;
}
