"""Medical visual question answering, as one chain: curate, train, score, compare, explain, serve.

The verbs of the command line are functions of the same name here. They are imported when first used, so that
``import radvqa`` and ``radvqa --help`` need neither torch nor transformers.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radvqa.commands.ask import ask, ask_several
    from radvqa.commands.bench import bench_cnn_lstm
    from radvqa.commands.bench_ask import bench_ask
    from radvqa.commands.bench_data import bench_data
    from radvqa.commands.bench_engine import bench_engine
    from radvqa.commands.bench_explain import bench_explain
    from radvqa.commands.bench_families import bench_family
    from radvqa.commands.bench_scaling import bench_scaling
    from radvqa.commands.bench_scoring import bench_scoring
    from radvqa.commands.compare import compare
    from radvqa.commands.data import check_data, explain_data, list_data, prepare_data
    from radvqa.commands.deidentify import deidentify
    from radvqa.commands.diagnose import diagnose
    from radvqa.commands.doctor import doctor
    from radvqa.commands.explain import explain, explain_sample, explain_split
    from radvqa.commands.explore import explore
    from radvqa.commands.export import export
    from radvqa.commands.fetch import fetch
    from radvqa.commands.leaks import leaks
    from radvqa.commands.merge import merge
    from radvqa.commands.metrics import metrics
    from radvqa.commands.plan import plan
    from radvqa.commands.predict import predict
    from radvqa.commands.probe import probe
    from radvqa.commands.quickstart import quickstart
    from radvqa.commands.recipes import recipes
    from radvqa.commands.score import score
    from radvqa.commands.starter_check import check_starter
    from radvqa.commands.sweep import sweep
    from radvqa.commands.train import train
    from radvqa.run import Run
    from radvqa.sample import Sample

__version__ = "0.1.0"

_HOMES = {
    "Run": "radvqa.run",
    "Sample": "radvqa.sample",
    "ask": "radvqa.commands.ask",
    "ask_several": "radvqa.commands.ask",
    "bench_ask": "radvqa.commands.bench_ask",
    "bench_cnn_lstm": "radvqa.commands.bench",
    "bench_data": "radvqa.commands.bench_data",
    "bench_engine": "radvqa.commands.bench_engine",
    "bench_explain": "radvqa.commands.bench_explain",
    "bench_family": "radvqa.commands.bench_families",
    "bench_scaling": "radvqa.commands.bench_scaling",
    "bench_scoring": "radvqa.commands.bench_scoring",
    "check_data": "radvqa.commands.data",
    "check_starter": "radvqa.commands.starter_check",
    "compare": "radvqa.commands.compare",
    "deidentify": "radvqa.commands.deidentify",
    "diagnose": "radvqa.commands.diagnose",
    "doctor": "radvqa.commands.doctor",
    "explain": "radvqa.commands.explain",
    "explain_data": "radvqa.commands.data",
    "explain_sample": "radvqa.commands.explain",
    "explain_split": "radvqa.commands.explain",
    "explore": "radvqa.commands.explore",
    "export": "radvqa.commands.export",
    "fetch": "radvqa.commands.fetch",
    "leaks": "radvqa.commands.leaks",
    "list_data": "radvqa.commands.data",
    "merge": "radvqa.commands.merge",
    "metrics": "radvqa.commands.metrics",
    "plan": "radvqa.commands.plan",
    "predict": "radvqa.commands.predict",
    "prepare_data": "radvqa.commands.data",
    "probe": "radvqa.commands.probe",
    "quickstart": "radvqa.commands.quickstart",
    "recipes": "radvqa.commands.recipes",
    "score": "radvqa.commands.score",
    "sweep": "radvqa.commands.sweep",
    "train": "radvqa.commands.train",
}

__all__ = [
    "Run",
    "Sample",
    "__version__",
    "ask",
    "ask_several",
    "bench_ask",
    "bench_cnn_lstm",
    "bench_data",
    "bench_engine",
    "bench_explain",
    "bench_family",
    "bench_scaling",
    "bench_scoring",
    "check_data",
    "check_starter",
    "compare",
    "deidentify",
    "diagnose",
    "doctor",
    "explain",
    "explain_data",
    "explain_sample",
    "explain_split",
    "explore",
    "export",
    "fetch",
    "leaks",
    "list_data",
    "merge",
    "metrics",
    "plan",
    "predict",
    "prepare_data",
    "probe",
    "quickstart",
    "recipes",
    "score",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'radvqa' has no attribute {name!r}")
