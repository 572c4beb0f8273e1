"""Which samples a model can use: those whose picture can be read."""

from collections.abc import Mapping, Sequence

from radvqa.data.dataset import Problems
from radvqa.errors import DataError
from radvqa.sample import Sample


def usable(samples: Sequence[Sample], keys: Mapping[str, str], problems: Problems) -> list[Sample]:
    """Return the samples whose picture has a key, in order.

    Args:
        samples: all of them.
        keys: the picture's content key by sample id.
        problems: why the others have none.

    Raises:
        DataError: when nothing is left.
    """
    found = [sample for sample in samples if sample.id in keys]
    if not found:
        why = f"; the last one: {problems.found[-1]}" if problems.found else "."
        raise DataError(f"None of the {len(samples)} samples can be used{why}")
    return found
