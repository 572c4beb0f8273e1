"""``torch.compile`` on trial: what is faster stays, and nothing that a step computes or draws depends on it."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from radvqa.training.compiled import CompileTrial, Mode

STEPS: dict[str, Any] = {"eager_steps": 2, "warm_steps": 1, "compiled_steps": 2}


class Block(nn.Module):
    """Dropout draws random numbers, and batch norm keeps statistics: a step that is half done is noticed."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.drop, self.norm = nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4)

    def forward(self, values: Tensor) -> Tensor:
        found: Tensor = self.norm(self.drop(torch.relu(self.linear(values))))
        return found


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks, self.head = nn.ModuleList([Block(), Block()]), nn.Linear(4, 1)

    def forward(self, values: Tensor) -> Tensor:
        for block in self.blocks:
            values = block(values)
        found: Tensor = self.head(values)
        return found


class Clock:
    """Tells the time that steps are said to take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def no_clock() -> float:
    raise AssertionError("the time was asked for")


def net() -> Net:
    torch.manual_seed(0)
    return Net()


def inputs(rows: int = 6) -> Tensor:
    return torch.arange(rows * 4.0).view(rows, 4) / 10


def learned(model: Net, values: Tensor) -> float:
    """Forward and backward in two micro-batches; gradients add up."""
    total = 0.0
    for part in values.chunk(2):
        loss = model(part).square().mean()
        loss.backward()
        total += float(loss.detach())
    return total


def trained(run: Callable[[Callable[[], float]], float], model: Net, steps: int = 8) -> list[float]:
    """Losses of some steps with an optimiser."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    torch.manual_seed(1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        losses.append(run(lambda: learned(model, inputs())))
        optimizer.step()
    return losses


def alone(step: Callable[[], float]) -> float:
    return step()


def told(seconds: Sequence[float], mode: Mode = "measure", **changes: Any) -> tuple[CompileTrial, Net]:
    """A trial whose steps take these seconds."""
    model, clock = net(), Clock()
    trial = CompileTrial(model, mode, backend="eager", clock=clock, **{**STEPS, **changes})

    def step(lasts: float) -> float:
        clock.now += lasts
        return learned(model, inputs())

    for lasts in seconds:
        trial.run(lambda lasts=lasts: step(lasts))  # type: ignore[misc] # mypy wants no default there
    return trial, model


def is_compiled(model: Net) -> bool:
    found = {"forward" in vars(block) for block in model.blocks}
    assert len(found) == 1
    return found.pop()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    torch.compiler.reset()


def test_off_runs_the_step_and_nothing_else() -> None:
    model, other = net(), net()
    trial = CompileTrial(model, "off", clock=no_clock)
    assert trained(trial.run, model) == trained(alone, other)
    assert not is_compiled(model)
    assert trial.decision == {
        "mode": "off",
        "used": False,
        "eager_seconds": None,
        "compiled_seconds": None,
        "warm_seconds": None,
        "reason": "training.compile is off",
    }


def test_what_is_faster_stays_and_warming_up_does_not_count() -> None:
    trial, model = told([1.0, 3.0, 500.0, 1.0, 1.5])
    assert is_compiled(model)
    assert trial.decision == {
        "mode": "measure",
        "used": True,
        "eager_seconds": 2.0,
        "compiled_seconds": 1.25,
        "warm_seconds": 500.0,
        "reason": "compiled steps take 38% less time",
    }


@pytest.mark.parametrize(("compiled", "used"), [(0.94, True), (0.96, False), (1.2, False)])
def test_less_than_five_percent_are_not_worth_it(compiled: float, used: bool) -> None:
    trial, model = told([1.0, 1.0, 1.0, compiled, compiled])
    assert trial.decision["used"] is used
    assert is_compiled(model) is used


def test_reverting_leaves_no_trace() -> None:
    before = {name: set(vars(module)) for name, module in net().named_modules()}
    trial, model = told([1.0, 1.0, 1.0, 2.0, 2.0, 1.0])
    assert trial.decision["reason"] == "compiled steps take 100% more time; kept from 5% less on"
    assert {name: set(vars(module)) for name, module in model.named_modules()} == before


def test_a_stage_that_ends_early_says_so() -> None:
    trial, model = told([1.0, 1.0, 1.0, 1.0])
    assert is_compiled(model)
    assert trial.decision["used"] is False
    assert trial.decision["reason"] == "the stage ended before the trial did"


def test_no_step_is_done_twice_and_the_same_units_are_dropped() -> None:
    model, other = net(), net()
    calls: list[int] = []
    trial = CompileTrial(model, "measure", backend="eager", **STEPS)

    def run(step: Callable[[], float]) -> float:
        calls.append(1)
        return trial.run(step)

    assert trained(run, model) == pytest.approx(trained(alone, other), rel=1e-6)
    assert len(calls) == 8
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name])


def test_answering_is_not_compiled() -> None:
    compiled: list[int] = []

    def backend(graph: Any, examples: Any) -> Any:
        compiled.append(1)
        return graph.forward

    model = net()
    trial = CompileTrial(model, "on", backend=backend)
    with torch.no_grad():
        model.eval()(inputs())
    assert compiled == []
    trial.run(lambda: learned(model.train(), inputs()))
    assert compiled


def test_on_compiles_from_the_first_step_and_asks_no_clock() -> None:
    model, other = net(), net()
    trial = CompileTrial(model, "on", backend="eager", clock=no_clock)
    assert trained(trial.run, model, 3) == pytest.approx(trained(alone, other, 3), rel=1e-6)
    assert trial.decision["used"] is True
    assert is_compiled(model)


def broken(graph: Any, examples: Any) -> Any:
    raise RuntimeError("no compiler is here\nand more")


def stumbling(graph: Any, examples: Any) -> Any:
    """Compiles, and what it compiled fails when it has done its work for the second time: half a step is done then."""
    done: list[Any] = []

    def run(*values: Any) -> Any:
        done.append(graph.forward(*values))
        if len(done) == 2:
            raise AssertionError("expected size 4==5")
        return done[-1]

    return run


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (broken, "it failed (BackendCompilerFailed: backend='broken' raised:)"),
        (stumbling, "it failed (AssertionError: expected size 4==5)"),
    ],
)
@pytest.mark.parametrize("mode", ["measure", "on"])
def test_a_compiler_that_fails_changes_nothing(
    backend: Any, reason: str, mode: Mode, capsys: pytest.CaptureFixture[str]
) -> None:
    model, other = net(), net()
    trial = CompileTrial(model, mode, backend=backend, **STEPS)
    assert trained(trial.run, model) == trained(alone, other)  # to the last bit
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
    assert trial.decision["used"] is False
    assert trial.decision["reason"] == reason
    assert not is_compiled(model)
    assert capsys.readouterr().err.count("torch.compile failed") == 1


def test_failing_after_the_decision_falls_back_too(capsys: pytest.CaptureFixture[str]) -> None:
    def backend(graph: Any, examples: Any) -> Any:
        values = [example for example in examples if isinstance(example, Tensor) and example.ndim == 2]
        if any(value.dtype == torch.float64 for value in values):
            raise RuntimeError("single precision only")
        return graph.forward

    model, other = net(), net()
    trial = CompileTrial(model, "on", backend=backend)
    trial.run(lambda: learned(model, inputs()))
    assert trial.decision["used"] is True
    torch.manual_seed(5)
    found = trial.run(lambda: learned(model.double(), inputs().double()))  # another type is compiled anew
    assert trial.decision["reason"].startswith("it failed (BackendCompilerFailed")
    learned(other, inputs())
    torch.manual_seed(5)
    assert found == learned(other.double(), inputs().double())
    assert capsys.readouterr().err.count("torch.compile failed") == 1


def test_an_error_that_is_not_the_compilers_passes_through(capsys: pytest.CaptureFixture[str]) -> None:
    model = net()
    trial = CompileTrial(model, "on", backend="eager")
    runs: list[int] = []

    def step() -> float:
        runs.append(1)
        learned(model, inputs())
        raise KeyError("a sample")

    with pytest.raises(KeyError, match="a sample"):
        trial.run(step)
    assert runs == [1]
    assert trial.decision["used"] is True
    assert capsys.readouterr().err == ""


def test_an_error_that_occurs_without_the_compiler_too_passes_through(capsys: pytest.CaptureFixture[str]) -> None:
    model = net()
    trial = CompileTrial(model, "on", backend="eager")
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        trial.run(lambda: learned(model, torch.zeros(2, 5)))
    assert trial.decision["used"] is True
    assert capsys.readouterr().err == ""
    assert trial.run(lambda: learned(model, inputs())) > 0


def test_memory_that_runs_out_passes_through() -> None:
    def backend(graph: Any, examples: Any) -> Any:
        def run(*values: Any) -> Any:
            raise torch.OutOfMemoryError("no room")

        return run

    model = net()
    trial = CompileTrial(model, "on", backend=backend)
    with pytest.raises(torch.OutOfMemoryError):
        trial.run(lambda: learned(model, inputs()))
    assert trial.decision["used"] is True


@pytest.mark.parametrize(("compiled", "used"), [(0.5, True), (2.0, False)])
def test_a_decision_stands_after_a_resume(compiled: float, used: bool) -> None:
    trial, _ = told([1.0, 1.0, 1.0, compiled, compiled])
    model = net()
    resumed = CompileTrial(model, "measure", backend="eager", clock=no_clock, **STEPS)
    resumed.load(json.loads(json.dumps(trial.state(), allow_nan=False)))
    assert resumed.decision == trial.decision
    assert is_compiled(model) is used
    resumed.run(lambda: learned(model, inputs()))
    assert resumed.decision == trial.decision


@pytest.mark.parametrize("steps", range(5))
def test_a_trial_that_was_cut_off_goes_on(steps: int) -> None:
    seconds = [1.0, 1.0, 30.0, 0.5, 0.5]
    cut, _ = told(seconds[:steps])
    model, clock = net(), Clock()
    resumed = CompileTrial(model, "measure", backend="eager", clock=clock, **STEPS)
    resumed.load(json.loads(json.dumps(cut.state())))
    assert is_compiled(model) is (steps >= 2)
    left = seconds[min(steps, 2) : 3] + seconds[max(3, steps) :]  # what was compiled must warm up again
    for lasts in left:

        def step(lasts: float = lasts) -> float:
            clock.now += lasts
            return learned(model, inputs())

        resumed.run(step)
    assert resumed.decision["used"] is True
    assert (resumed.decision["eager_seconds"], resumed.decision["compiled_seconds"]) == (1.0, 0.5)


def test_a_copy_of_a_compiled_model_learns_by_itself() -> None:
    model = net()
    trial = CompileTrial(model, "on", backend="eager")
    trial.run(lambda: learned(model, inputs()))
    other = copy.deepcopy(model)
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(other.parameters(), 0.1)
    learned(other, inputs())
    optimizer.step()
    assert all(parameter.grad is not None for parameter in other.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_next_stage_begins_as_it_is() -> None:
    model = net()
    first = CompileTrial(model, "on", backend="eager")
    first.run(lambda: learned(model, inputs()))
    assert is_compiled(model)
    CompileTrial(model, "off")
    assert not is_compiled(model)


def test_blocks_are_the_members_of_the_outermost_lists_or_else_the_children() -> None:
    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = nn.Sequential(nn.ModuleList([Net(), Net()]), nn.ModuleList([Block(), nn.ReLU()]))
            self.single = nn.ModuleList([Block()])

    def compiled(module: nn.Module) -> list[str]:
        CompileTrial(module, "on", backend="eager")
        return [name for name, child in module.named_modules() if "forward" in vars(child)]

    assert compiled(Deep()) == ["tower.0.0", "tower.0.1"]
    assert compiled(nn.Sequential(Block(), nn.Linear(4, 4))) == ["0", "1"]


@pytest.mark.slow
def test_the_real_compiler_gives_what_torch_gives() -> None:
    """Where no C++ compiler is found, the step falls back, and the equality must hold all the same."""
    model, other = net(), net()
    trial = CompileTrial(model, "on")
    assert trained(trial.run, model, 3) == pytest.approx(trained(alone, other, 3), rel=1e-5)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=1e-4, atol=1e-6)
    assert trial.decision["used"] is (shutil.which("g++") is not None)
