"""Does what should learn learn, and nothing else? Can a few samples be learned by heart?"""

from collections.abc import Iterator

from torch import nn

from radvqa.training.doctor.finding import Finding, named
from radvqa.training.doctor.patient import Patient
from radvqa.training.doctor.trial import Trial

_REST = "the rest"


def learned_parts_learn(patient: Patient) -> Iterator[Finding]:
    """A gradient reaches every part that is trained, and every tensor of it moves."""
    trial, check = _trial(patient), "trained_parts_learn"
    still = []
    for part, names in _by_part(patient).items():
        trained = [name for name in names if names[name].requires_grad]
        if patient.modes.get(part) in ("full", "lora") and not trained:
            yield Finding(check, "error", f"The recipe trains {part}, but nothing in it has requires_grad.")
        elif trained and not trial.reached.intersection(trained):
            yield Finding(
                check,
                "error",
                f"{part} should learn, but no gradient reaches any of its {len(trained)} tensors: look for "
                f"a detach, a no_grad or a copy between it and the loss, or freeze it.",
            )
        else:
            still += [name for name in trained if name not in trial.moved]
    if still:
        yield Finding(
            check,
            "warning",
            f"{len(still)} tensors count as trained but never moved ({named(still)}): nothing uses them, or no "
            f"gradient reaches them.",
        )


def frozen_stays(patient: Patient) -> Iterator[Finding]:
    """What is frozen does not move, the statistics of its normalisation layers included."""
    trial, check = _trial(patient), "frozen_is_frozen"
    thawed = [p for p, names in _by_part(patient).items() if _is_thawed(patient, p, names)]
    if thawed:
        yield Finding(check, "error", f"The recipe freezes {named(thawed)}, but some of it has requires_grad.")
    parameters = {n for n, p in patient.model.module.named_parameters() if not p.requires_grad}
    weights = sorted(trial.moved & parameters)
    if weights:
        yield Finding(
            check,
            "error",
            f"{len(weights)} frozen weights moved ({named(weights)}): something writes into them, or they are the "
            f"same tensor as a trained one.",
        )
    statistics = sorted(name for name in trial.moved & _frozen_buffers(patient.model.module))
    if statistics:
        yield Finding(
            check,
            "error",
            f"{len(statistics)} statistics of frozen layers moved ({named(statistics)}): a frozen tower must stay in "
            f"evaluation mode while the rest trains, or its features drift with the batches.",
        )


def few_are_learned(patient: Patient) -> Iterator[Finding]:
    """A few samples can be learned by heart."""
    trial, check = _trial(patient), "few_samples_are_learned"
    if not any(p.requires_grad for p in patient.model.module.parameters()):
        yield Finding(check, "ok", "The model trains nothing, so nothing was learned by heart.")
    elif trial.right == trial.total:
        yield Finding(
            check,
            "ok",
            f"{trial.total} samples were learned by heart in {trial.steps} steps (learning rate "
            f"{trial.learning_rate:g}, loss {trial.first_loss:.3g} → {trial.last_loss:.3g}).",
        )
    else:
        # half of them: different answers, token by token, are no accident; what is trained may be too little for all
        yield Finding(
            check,
            "warning" if 2 * trial.right >= trial.total else "error",
            f"Only {trial.right} of {trial.total} samples could be learned by heart in {trial.steps} steps at several "
            f"learning rates (loss {trial.first_loss:.3g} → {trial.last_loss:.3g}): too little is trained, or what "
            f"is learned cannot be told from what is read.",
        )


def _trial(patient: Patient) -> Trial:
    if patient.trial is None:
        raise ValueError("this check looks at a trial that was not made")
    return patient.trial


def _is_thawed(patient: Patient, part: str, names: dict[str, nn.Parameter]) -> bool:
    return patient.modes.get(part) == "frozen" and any(p.requires_grad for p in names.values())


def _by_part(patient: Patient) -> dict[str, dict[str, nn.Parameter]]:
    """Parameters by part; what belongs to none stands under ``the rest``."""
    paths = {id(module): path for path, module in patient.model.module.named_modules()}
    # a part that is learned whole beside LoRA is wrapped, and its trained copy lies beside the original
    places = {
        name: paths[id(part)].removesuffix("original_module").removesuffix(".")
        for name, part in patient.model.parts.items()
        if id(part) in paths
    }
    found: dict[str, dict[str, nn.Parameter]] = {name: {} for name in places}
    for name, parameter in patient.model.module.named_parameters():
        homes = [part for part, place in places.items() if name.startswith(f"{place}.") or not place]
        found.setdefault(homes[0] if homes else _REST, {})[name] = parameter
    return found


def _frozen_buffers(module: nn.Module) -> set[str]:
    """Buffers of layers that do not learn: their own parameters are frozen, or, having none, those around them."""
    found = set()
    parents = dict(module.named_modules())
    for path, layer in parents.items():
        around = path
        while not (parameters := list(parents[around].parameters(recurse=around != path))) and around:
            around = around.rpartition(".")[0]
        if not any(parameter.requires_grad for parameter in parameters):
            found |= {f"{path}.{name}".strip(".") for name, _ in layer.named_buffers(recurse=False)}
    return found
