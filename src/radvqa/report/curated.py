"""What the steps of curation tell on a terminal."""

from collections.abc import Mapping
from typing import Any

from radvqa.report.numbers import duration


def show_plan(planned: Mapping[str, Any]) -> None:
    """Print what a generation would take."""
    print(f"{planned['captions']:,} captions of {planned['pictures']:,} pictures, {', '.join(planned['templates'])}")
    if planned["empty"]:
        print(f"{planned['empty']:,} captions are empty, and are left out.")
    if planned["commands"]:
        print(f"{planned['commands']:,} captions speak to a model; they are sent as quoted data, and flagged.")
    print(f"{planned['requests']:,} requests, at most {planned['pairs']:,} pairs")
    print(f"about {planned['prompt_tokens']:,} tokens to read and {planned['completion_tokens']:,} to write")
    if planned["hours"] is not None:
        print(f"about {duration(planned['hours'] * 3600)} at that speed")
    if planned["cost"] is not None:
        print(f"about {planned['cost']:,.2f} at those prices")
    print("4 characters count as a token; replies are taken to be as long as asked for.")


def show_generated(made: Mapping[str, Any]) -> None:
    """Print what was written."""
    counts, tokens = made["counts"], made["tokens"]
    print(
        f"{made['table']}: {made['pairs']:,} pairs from {counts['asked']:,} requests "
        f"({made['cached']:,} answered before)"
    )
    forms = {name.removeprefix("form: "): n for name, n in counts.items() if name.startswith("form: ")}
    print("replies read as " + ", ".join(f"{name}: {n:,}" for name, n in forms.items()))
    told = ("unreadable", "refused", "cut", "unanswered", "skipped", "commands")
    odd = [f"{name} {counts[name]:,}" for name in told if counts.get(name)]
    if odd:
        print("of these " + ", ".join(odd))
    print(f"{tokens['prompt']:,} tokens read, {tokens['completion']:,} written, {made['requests']:,} requests sent now")
    if "cost" in made:
        print(f"{made['cost']:,.2f} at those prices, whenever the tokens were paid")


def show_filtered(done: Mapping[str, Any]) -> None:
    """Print what each rule noticed and took out."""
    print(f"{done['table']}: {done['before']:,} → {done['after']:,} pairs")
    width = max([len(name) for name in done["noticed"]] or [4])
    if done["noticed"]:
        print(f"  {'rule':<{width}}  {'holds for':>10}  {'took out':>9}")
    for name, noticed in done["noticed"].items():
        print(f"  {name:<{width}}  {noticed:>10,}  {done['taken'].get(name, 0):>9,}")


def show_verified(done: Mapping[str, Any]) -> None:
    """Print what a model confirmed."""
    said = ", ".join(f"{name} {count:,}" for name, count in done["verdicts"].items()) or "nothing to ask about"
    print(f"{done['table']}: {said}; {done['after']:,} pairs are left")


def show_collected(done: Mapping[str, Any]) -> None:
    """Print what reviewers decided."""
    said = done["statistics"]
    print(
        f"{done['table']}: {said['passed']:,} passed, {said['discarded']:,} discarded, {said['disputed']:,} disputed, "
        f"{said['edited']:,} edited, {said['unreviewed']:,} not looked at"
    )
    for one in said["agreement"]:
        kappa = "undefined" if one["kappa"] is None else f"{one['kappa']:.2f}"
        print(
            f"  {' and '.join(one['reviewers'])}: same verdict on {100 * one['same']:.0f} % of {one['pairs']}, "
            f"kappa {kappa}"
        )


def show_mixed(made: Mapping[str, Any]) -> None:
    """Print where the data set is and what is in it."""
    print(", ".join(f"{part} {count:,}" for part, count in made["pairs"].items()))
    for reason, count in made["left_out"].items():
        if count:
            print(f"left out, {reason}: {count:,}")
    for task, path in made["data"].items():
        print(f"{task}: name {path} as a recipe's data set")
    print(f"card: {made['card']}")
