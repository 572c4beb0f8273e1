"""The card of a curated data set: whose pictures, which prompts and models, what was left out and why, who looked."""

from collections.abc import Mapping, Sequence
from typing import Any

from radvqa.curating.filter import OF_TABLES
from radvqa.curating.mix import Mixed
from radvqa.curating.rules.all import RULES
from radvqa.curating.verify import RULE as NOT_VERIFIED


def card(
    name: str,
    mixed: Mixed,
    steps: Mapping[str, Sequence[Mapping[str, Any]]],
    owners: Sequence[Mapping[str, str]],
    *,
    by: str,
    recipe: str,
    prompts: Mapping[str, str],
) -> str:
    """Write the card.

    Args:
        name: of the data set.
        mixed: what is in it.
        steps: what was done, by source.
        owners: of the material: ``name``, ``title``, ``licence``, ``citation`` and ``terms`` of each data set.
        by: category of the counts.
        recipe: parts of a recipe that train on it.
        prompts: wordings by name and version.
    """
    total = len(mixed.rows)
    splits = {part: len(mixed.of_split(part)) for part in dict.fromkeys(part for _, part, _ in mixed.rows)}
    lines = [
        f"# Curated questions: {name}",
        "",
        "**For research only, not for diagnosis.** Language models wrote questions and answers from captions; these "
        "were filtered and reviewed as told below.",
        "",
        "## What is here",
        "",
        f"{total:,} pairs about {len({(p.dataset, p.image) for _, _, p in mixed.rows}):,} pictures.",
        "",
        *_table(("Split", "Pairs"), [(part, f"{count:,}") for part, count in splits.items()]),
        "",
        *_by_source(mixed),
        "",
        f"Pairs by {by}, before and after mixing:",
        "",
        *_by_category(mixed, by),
        "",
        "![Before and after](mix.png)",
        "",
        "## Whose pictures and texts",
        "",
        *_table(
            ("Data set", "Title", "Licence", "Terms", "Cite"),
            [(o["name"], o["title"], o["licence"], o["terms"], o["citation"]) for o in owners],
        ),
        "",
        "The pairs stay under the terms of the data sets that they were written from.",
        "",
        "## How it came about",
    ]
    for source, done in steps.items():
        lines += ["", f"### {source}", "", *_told(done)]
    lines += ["", "## Prompts", "", *([] if prompts else ["None are recorded.", ""])]
    for called, text in prompts.items():
        lines += [f"`{called}`:", "", "~~~text", text, "~~~", ""]
    lines += ["## Train on it", "", "```yaml", recipe.rstrip(), "```", ""]
    return "\n".join(lines)


def _by_source(mixed: Mixed) -> list[str]:
    rows = [
        (name, f"{sum(counts.values()):,}", f"{sum(mixed.after[name].values()):,}")
        for name, counts in mixed.before.items()
    ]
    left_out = [f"{count:,} ({reason})" for reason, count in mixed.left_out.items() if count]
    said = ["", f"Left out of the mix: {', '.join(left_out)}."] if left_out else []
    return [*_table(("Source", "Checked pairs", "In the mix"), rows), *said]


def _by_category(mixed: Mixed, by: str) -> list[str]:
    found: dict[str, list[int]] = {}
    for place, counts in enumerate((mixed.before, mixed.after)):
        for counted in counts.values():
            for label, count in counted.items():
                found.setdefault(label, [0, 0])[place] += count
    ranked = sorted(found.items(), key=lambda item: (-item[1][1], -item[1][0], item[0]))
    return _table((by, "Before", "After"), [(name or "(none)", f"{b:,}", f"{a:,}") for name, (b, a) in ranked])


def _told(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    if not steps:
        return ["Nothing is recorded about how this table came about."]
    lines: list[str] = []
    for step in steps:
        lines += [*_TELLERS.get(str(step["step"]), _plain)(step), ""]
    return lines[:-1]


def _generated(step: Mapping[str, Any]) -> list[str]:
    counts = step.get("counts", {})
    sampling = ", ".join(f"{key} {value}" for key, value in step.get("sampling", {}).items())
    tokens = step.get("tokens", {})
    return [
        f"**Written** by `{step.get('model')}` ({sampling or 'the server’s own sampling'}) from {step.get('data')}, "
        f"{step.get('split')} split, with the prompts {', '.join(step.get('templates', {}))}: {step.get('pairs', 0):,} "
        f"pairs from {counts.get('asked', 0):,} requests; {tokens.get('prompt', 0):,} tokens read, "
        f"{tokens.get('completion', 0):,} written{_cost(step)}. "
        f"{counts.get('unreadable', 0):,} replies could not be read, "
        f"{counts.get('cut', 0):,} were cut off, {counts.get('commands', 0):,} captions speak to a model."
    ]


def _cost(step: Mapping[str, Any]) -> str:
    return f", {step['cost']:,.2f} at the prices named" if "cost" in step else ""


def _filtered(step: Mapping[str, Any]) -> list[str]:
    titles = {name: rule.title for name, rule in RULES.items()} | OF_TABLES
    rows = [
        (name, titles.get(name, ""), f"{noticed:,}", f"{step['taken'].get(name, 0):,}")
        for name, noticed in step.get("noticed", {}).items()
    ]
    off = f" Switched off: {', '.join(step['without'])}." if step.get("without") else ""
    return [
        f"**Filtered**: {step.get('before', 0):,} → {step.get('after', 0):,} pairs.{off}",
        "",
        *_table(("Rule", "Reason", "Holds for", "Took out"), rows),
    ]


def _verified(step: Mapping[str, Any]) -> list[str]:
    verdicts = ", ".join(f"{name} {count:,}" for name, count in step.get("verdicts", {}).items())
    return [f"**Checked against the captions** by `{step.get('model')}`: {verdicts}; took out as `{NOT_VERIFIED}`."]


def _reviewed(step: Mapping[str, Any]) -> list[str]:
    said = step.get("statistics", {})
    lines = [
        f"**Reviewed** by {len(said.get('reviewers', {}))}: {said.get('passed', 0):,} passed, "
        f"{said.get('discarded', 0):,} discarded, {said.get('disputed', 0):,} disputed, "
        f"{said.get('edited', 0):,} edited, {said.get('unreviewed', 0):,} not looked at."
    ]
    if said.get("reasons"):
        lines += ["", "Why discarded: " + ", ".join(f"{name} {count}" for name, count in said["reasons"].items()) + "."]
    if said.get("agreement"):
        rows = [
            (" and ".join(one["reviewers"]), one["pairs"], f"{100 * one['same']:.0f} %", _kappa(one["kappa"]))
            for one in said["agreement"]
        ]
        lines += ["", *_table(("Reviewers", "Judged by both", "Same verdict", "Cohen’s kappa"), rows)]
    return lines


def _kappa(value: float | None) -> str:
    return "undefined: only one verdict was used" if value is None else f"{value:.2f}"


def _plain(step: Mapping[str, Any]) -> list[str]:
    return [f"**{step['step']}**"]


_TELLERS = {"generate": _generated, "filter": _filtered, "verify": _verified, "review": _reviewed}


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    def cell(value: Any) -> str:
        return str(value).replace("|", "\\|").replace("\n", " ")

    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*head, *(f"| {' | '.join(cell(value) for value in row)} |" for row in rows)]
