"""Medical visual question answering, as one chain: curate, train, score, compare, explain, serve.

The verbs of the command line are functions of the same name here. They are imported when first used, so that
``import radvqa`` and ``radvqa --help`` need neither torch nor transformers.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radvqa.commands.ask import ask
    from radvqa.commands.bench import bench_cnn_lstm
    from radvqa.commands.bench_scoring import bench_scoring
    from radvqa.commands.compare import compare
    from radvqa.commands.data import check_data, list_data, prepare_data
    from radvqa.commands.leaks import leaks
    from radvqa.commands.metrics import metrics
    from radvqa.commands.predict import predict
    from radvqa.commands.probe import probe
    from radvqa.commands.quickstart import quickstart
    from radvqa.commands.score import score
    from radvqa.commands.train import train
    from radvqa.run import Run
    from radvqa.sample import Sample

__version__ = "0.1.0"

_HOMES = {
    "Run": "radvqa.run",
    "Sample": "radvqa.sample",
    "ask": "radvqa.commands.ask",
    "bench_cnn_lstm": "radvqa.commands.bench",
    "bench_scoring": "radvqa.commands.bench_scoring",
    "check_data": "radvqa.commands.data",
    "compare": "radvqa.commands.compare",
    "leaks": "radvqa.commands.leaks",
    "list_data": "radvqa.commands.data",
    "metrics": "radvqa.commands.metrics",
    "predict": "radvqa.commands.predict",
    "prepare_data": "radvqa.commands.data",
    "probe": "radvqa.commands.probe",
    "quickstart": "radvqa.commands.quickstart",
    "score": "radvqa.commands.score",
    "train": "radvqa.commands.train",
}

__all__ = [
    "Run",
    "Sample",
    "__version__",
    "ask",
    "bench_cnn_lstm",
    "bench_scoring",
    "check_data",
    "compare",
    "leaks",
    "list_data",
    "metrics",
    "predict",
    "prepare_data",
    "probe",
    "quickstart",
    "score",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'radvqa' has no attribute {name!r}")
