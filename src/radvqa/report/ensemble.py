"""What ``radvqa ensemble`` says at its end: how much each member counts, and what the vote came to."""

from collections.abc import Mapping
from typing import IO, Any

from radvqa.report.grid import Row, Table, print_table
from radvqa.report.numbers import UNDEFINED, count, percent


def show_ensemble(found: Mapping[str, Any], stream: IO[str] | None = None) -> None:
    """Print what was chosen.

    Args:
        found: what the command returned.
        stream: where to print; stdout by default.
    """
    print_table(ensemble_table(found), stream)


def ensemble_table(found: Mapping[str, Any]) -> Table:
    """Show a row for each member, for equal weights and for the vote that was chosen."""
    rows = [
        Row((one["name"], f"{one['weight']:.2f}", f"{one['temperature']:g}", percent(one["accuracy"])), "run")
        for one in found["members"]
    ]
    rows.append(Row(("Equal weights", UNDEFINED, UNDEFINED, percent(found["equal_weights"])), "baseline"))
    rows.append(Row(("The vote", UNDEFINED, UNDEFINED, percent(found["selected"]["value"])), "run"))
    notes = (
        f"Accuracy on the {count(found['selected']['questions'])} selection questions, on which the best of "
        f"{count(found['tried'])} votes was chosen; it flatters the vote, the test split does not.",
    )
    return Table(f"{found['run']}, in percent", ("Member", "Weight", "Temperature", "Accuracy"), tuple(rows), notes)
