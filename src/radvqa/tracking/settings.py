"""How each tracker is started: in the run's folder, and without a network unless the user asked for one.

What a user set in the environment always counts. Names and classes are ``accelerate``'s.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = "radvqa"  # under which a tracker collects runs


@dataclass(frozen=True)
class Settings:
    """What a tracker is given.

    Attributes:
        arguments: of its class.
        environment: variables that are set unless the user did.
    """

    arguments: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)

    def apply(self) -> None:
        """Set the variables that are not set."""
        for name, value in self.environment.items():
            os.environ.setdefault(name, value)


def settings(name: str, folder: Path, run_name: str, from_step: int, *, needs_folder: bool) -> Settings:
    """Return the settings of a tracker.

    Args:
        name: as ``accelerate`` calls it.
        folder: the run's folder of logs.
        run_name: name of the run.
        from_step: the step that the run goes on from; 0 at its beginning.
        needs_folder: whether the tracker's class asks for a folder; for trackers that are not listed here.
    """
    known = _KNOWN.get(name)
    if known is not None:
        return known(folder.resolve(), run_name, from_step)
    return Settings({"run_name": run_name, **({"logging_dir": str(folder.resolve())} if needs_folder else {})})


def _tensorboard(folder: Path, run_name: str, from_step: int) -> Settings:
    # TensorBoard forgets what an interrupted process wrote after the step that this one goes on from
    again = {"purge_step": from_step + 1} if from_step else {}
    return Settings({"run_name": "tensorboard", "logging_dir": str(folder), **again})


def _wandb(folder: Path, run_name: str, from_step: int) -> Settings:
    arguments = {"run_name": PROJECT, "name": run_name, "dir": str(folder)}
    return Settings(arguments, {"WANDB_MODE": "offline", "WANDB_SILENT": "true"})


def _mlflow(folder: Path, run_name: str, from_step: int) -> Settings:
    arguments: dict[str, Any] = {"experiment_name": PROJECT, "run_name": run_name}
    if "MLFLOW_TRACKING_URI" not in os.environ:
        arguments["logging_dir"] = (folder / "mlflow").as_uri()
    return Settings(arguments, {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"})


def _trackio(folder: Path, run_name: str, from_step: int) -> Settings:
    environment = {"TRACKIO_DIR": str(folder / "trackio"), "GRADIO_ANALYTICS_ENABLED": "False"}
    return Settings({"run_name": PROJECT, "name": run_name, "resume": "allow"}, environment)


def _comet(folder: Path, run_name: str, from_step: int) -> Settings:
    online = {} if "COMET_START_ONLINE" in os.environ else {"online": False}
    return Settings({"run_name": PROJECT, **online}, {"COMET_OFFLINE_DIRECTORY": str(folder / "comet")})


def _clearml(folder: Path, run_name: str, from_step: int) -> Settings:
    # it would else write down every file that torch saves
    arguments = {"run_name": PROJECT, "task_name": run_name, "auto_connect_frameworks": False}
    return Settings(arguments, {"CLEARML_OFFLINE_MODE": "1"})


def _dvclive(folder: Path, run_name: str, from_step: int) -> Settings:
    # it would else add the user's whole repository to an experiment of DVC
    return Settings({"dir": str(folder / "dvclive"), "save_dvc_exp": False, "resume": bool(from_step)})


def _swanlab(folder: Path, run_name: str, from_step: int) -> Settings:
    arguments = {"run_name": PROJECT, "experiment_name": run_name, "logdir": str(folder / "swanlab")}
    return Settings(arguments, {"SWANLAB_MODE": "offline"})


_KNOWN: dict[str, Callable[[Path, str, int], Settings]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
    "trackio": _trackio,
    "comet_ml": _comet,
    "clearml": _clearml,
    "dvclive": _dvclive,
    "swanlab": _swanlab,
}
