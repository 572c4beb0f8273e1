"""Medical visual question answering, as one chain: curate, train, score, compare, explain, serve.

The verbs of the command line are functions of the same name here. They are imported when first used, so that
``import radvqa`` and ``radvqa --help`` need neither torch nor transformers.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radvqa.sample import Sample

__version__ = "0.1.0"

_HOMES = {
    "Run": "radvqa.run",
    "Sample": "radvqa.sample",
}

__all__ = ["Run", "Sample", "__version__"]  # noqa: F822 - resolved by __getattr__


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'radvqa' has no attribute {name!r}")
