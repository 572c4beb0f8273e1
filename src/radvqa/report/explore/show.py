"""Terminal text about explored data sets."""

from collections.abc import Iterator, Mapping
from typing import Any

from radvqa.report.data import show_left_out
from radvqa.report.explore import tables
from radvqa.report.grid import Table, print_table


def show_exploration(found: Mapping[str, Any]) -> None:
    """Print what ``radvqa.commands.explore`` counted."""
    for table in _tables(found):
        print_table(table)
    show_left_out(found["left_out"])
    for data_set in found["data_sets"]:
        for note in (data_set["warning"], *data_set["notes"]):
            if note:
                print(f"{data_set['name']}: {note}")


def _tables(found: Mapping[str, Any]) -> Iterator[Table]:
    data_sets = found["data_sets"]
    yield tables.sizes_table(data_sets)
    yield tables.answers_table(data_sets)
    yield tables.types_table(data_sets)
    for data_set in data_sets:
        split = data_set["training"] or next(iter(data_set["splits"]))
        yield tables.top_table(data_set["splits"][split], f"{data_set['name']} {split}: most frequent answers")
    optional = [tables.training_table(data_sets)]
    if len(data_sets) == 1:
        optional += [tables.labels_table(data_sets[0], key) for key in tables.KINDS]
    else:
        optional += [tables.mix_table(found["mix"], kind) for kind in tables.MIXED]
    yield from (table for table in optional if table is not None)
    yield tables.pictures_table(data_sets)
    if found["near"] is not None:
        yield tables.near_table(found["near"])
    yield tables.totals_table(found)
