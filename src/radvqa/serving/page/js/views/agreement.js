// In one sentence: who agrees with whom. Answers count as one when they differ in case, dots and spaces alone.
const same = (text) => text.toLowerCase().replace(/[\p{P}\s]+/gu, " ").trim();

export function agreement(given) {
  const silent = given.filter((one) => one.answer === null);
  const groups = new Map();
  for (const one of given) if (one.answer !== null) groups.set(same(one.answer), [...(groups.get(same(one.answer)) ?? []), one]);
  const sizes = [...groups.values()].sort((a, b) => b.length - a.length);
  const quiet = silent.length ? ` ${list(silent.map((one) => one.model))} ${silent.length > 1 ? "give" : "gives"} no answer.` : "";
  if (sizes.length === 0) return `No model answers.`;
  const said = (group) => `“${group[0].answer}”`;
  if (sizes.length === 1) {
    const who = sizes[0].map((one) => one.model);
    return (who.length === 1 ? `Only ${who[0]} answers: ${said(sizes[0])}.` : `${who.length === 2 ? "Both" : `All ${who.length}`} agree: ${said(sizes[0])}.`) + quiet;
  }
  if (sizes[0].length === 1) return `${sizes.length === 2 ? "The two disagree" : `All ${sizes.length} disagree`}: ${list(sizes.map((group) => `${group[0].model} says ${said(group)}`))}.${quiet}`;
  return `${sizes[0].length} of ${given.length - silent.length} agree on ${said(sizes[0])}; ${list(sizes.slice(1).map((group) => `${list(group.map((one) => one.model))} ${group.length > 1 ? "say" : "says"} ${said(group)}`))}.${quiet}`;
}

const list = (parts) => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`);
