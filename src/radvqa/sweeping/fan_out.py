"""Functions spread over the processes of a Ray cluster, here or on many machines; the only file that knows Ray."""

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from radvqa.errors import RadvqaError
from radvqa.sweeping.worker import Surroundings, look, work_through

_STORE = 100 << 20  # bytes of Ray's object store; only names and numbers pass through it
_PATIENCE = 120.0  # seconds for a node to answer


@dataclass(frozen=True)
class Job:
    """One call of a function.

    Attributes:
        name: for people.
        arguments: by name; plain values.
        log: file that everything printed goes to, at its end.
    """

    name: str
    arguments: Mapping[str, Any]
    log: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        name: of the job.
        failure: why it failed, as a sentence; None when it succeeded.
    """

    name: str
    failure: str | None


@dataclass(frozen=True)
class Share:
    """What every job gets.

    Attributes:
        cpus: cores; as many threads are used.
        gpus: devices; a fraction shares one.
        at_once: jobs at the same time, at most.
        retries: how often a job begins again after its process or its machine died.
    """

    cpus: int
    gpus: float
    at_once: int
    retries: int


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's name for it.
        host: its host name.
        cpus: cores that Ray may use.
        gpus: devices that Ray may use.
    """

    id: str
    host: str
    cpus: int
    gpus: float


class Cluster:
    """A connected Ray cluster; ``cluster`` makes one."""

    def __init__(self, ray: ModuleType) -> None:
        self._ray = ray

    @property
    def nodes(self) -> list[Node]:
        """The machines that are up and compute."""
        found = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        return [
            Node(n["NodeID"], n["NodeManagerHostname"], int(n["Resources"]["CPU"]), n["Resources"].get("GPU", 0.0))
            for n in found
        ]

    def share(
        self, jobs: int, *, at_once: int | None, cpus: int | None, gpus: float | None, retries: int, use_gpus: bool
    ) -> Share:
        """Divide the cluster among jobs.

        Args:
            jobs: how many there are.
            at_once: at most so many at the same time; by default as many as have room.
            cpus: cores of each; by default all cores, shared evenly.
            gpus: devices of each; by default one where there is one.
            retries: as in ``Share``.
            use_gpus: whether jobs can use a GPU at all.

        Raises:
            RadvqaError: when no machine has what one job needs.
        """
        nodes = self.nodes
        if gpus is None:
            gpus = 1.0 if use_gpus and any(node.gpus >= 1 for node in nodes) else 0.0
        able = [node for node in nodes if node.gpus >= gpus]
        lanes = min(jobs, at_once or jobs)
        if gpus:
            lanes = min(lanes, max(1, sum(int(node.gpus / gpus) for node in able)))
        if cpus is None:
            cpus = max(1, min([sum(node.cpus for node in able) // max(1, lanes), *(node.cpus for node in able)]))
        if not any(node.cpus >= cpus for node in able):
            has = "; ".join(f"{node.host}: {node.cpus} cores, {node.gpus:g} GPUs" for node in nodes) or "none is up"
            raise RadvqaError(f"No machine has {cpus} cores and {gpus:g} GPUs for one run ({has}); ask for less.")
        return Share(cpus, gpus, at_once or jobs, retries)

    def require_shared(self, folder: Path) -> None:
        """Check that every machine sees what this one writes into a folder, and runs the same version.

        Raises:
            RadvqaError: names the machine.
        """
        import radvqa
        from radvqa import files

        token = folder / ".seen-by-all-nodes"
        word = secrets.token_hex(8)
        files.write_text(token, word)
        try:
            for node, (seen, here, version) in self._everywhere(look, str(token), str(Path.cwd())).items():
                if version != radvqa.__version__:
                    raise RadvqaError(
                        f"{node.host} has radvqa {version}, this machine {radvqa.__version__}; make them one."
                    )
                if seen != word:
                    raise RadvqaError(f"{node.host} cannot see {folder}; put --out on a path that all machines share.")
                if not here:
                    raise RadvqaError(f"{node.host} has no folder {Path.cwd()}; call from one that all machines share.")
        finally:
            token.unlink(missing_ok=True)

    def _everywhere(self, work: Callable[..., Any], *arguments: Any) -> dict[Node, Any]:
        """Call a function once on every machine."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asked = {}
        for node in self.nodes:
            there = NodeAffinitySchedulingStrategy(node.id, soft=False)
            remote = self._ray.remote(num_cpus=0, max_retries=1, scheduling_strategy=there)(work)
            asked[node] = remote.remote(*arguments)
        found = {}
        for node, answer in asked.items():
            try:
                found[node] = self._ray.get(answer, timeout=_PATIENCE)
            except (self._ray.exceptions.RayError, TimeoutError) as error:
                said = str(error).strip().splitlines() or [type(error).__name__]
                raise RadvqaError(
                    f"{node.host} cannot run radvqa: {said[-1]} Install the same radvqa there, in the environment "
                    f"that Ray was started from."
                ) from None
        return found

    def run(self, work: Callable[..., Any], jobs: Sequence[Job], share: Share) -> Iterator[Outcome]:
        """Call a function for every job, each in a process of its own, and yield outcomes as they come.

        A failing job does not stop the others. A job whose process or machine dies begins again elsewhere.

        Args:
            work: a function of a module, called with a job's arguments; what it returns is dropped.
            jobs: the calls.
            share: what each gets.
        """
        # a worker that ended its job is not used again: no run sees another's memory, threads or random states
        remote = self._ray.remote(
            num_cpus=share.cpus, num_gpus=share.gpus, max_retries=share.retries, max_calls=1, retry_exceptions=False
        )(work_through)
        here = Surroundings.of_this_process(share.cpus)
        waiting, under_way = list(reversed(jobs)), dict[Any, Job]()
        while waiting or under_way:
            while waiting and len(under_way) < share.at_once:
                job = waiting.pop()
                handle = remote.options(name=job.name).remote(work, dict(job.arguments), job.name, str(job.log), here)
                under_way[handle] = job
            (done, *_), _ = self._ray.wait(list(under_way), num_returns=1)
            yield self._outcome(under_way.pop(done), done, share.retries)

    def _outcome(self, job: Job, handle: Any, retries: int) -> Outcome:
        try:
            return Outcome(job.name, self._ray.get(handle))
        except self._ray.exceptions.RayTaskError as error:
            said = (str(error).strip().splitlines() or [""])[-1]
            return Outcome(job.name, f"It could not begin: {said}")
        except self._ray.exceptions.RayError as error:
            times = "once" if retries == 0 else f"{retries + 1} times"
            return Outcome(
                job.name,
                f"Its process died {times} ({type(error).__name__}: killed, out of memory, or a machine was lost); "
                f"see logs/{job.log.name}.",
            )


@contextlib.contextmanager
def cluster(address: str | None = None, *, retries: int = 2) -> Iterator[Cluster]:
    """Connect to a Ray cluster, or start one on this machine for as long as it is needed.

    One's own listens on the loopback only, demands a password made for it, has no dashboard and reports to nobody.
    What is printed meanwhile goes to stderr.

    Args:
        address: of a cluster that is up, as ``ray start`` printed it; by default one is started here.
        retries: of jobs that ran out of memory, on a cluster started here.

    Raises:
        RadvqaError: when Ray is not installed, or there is no cluster at the address.
    """
    import logging

    with contextlib.ExitStack() as stack:
        settings: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        variables = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
        if address is None:
            # short: sockets lie below it, whose paths may have about 100 letters
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="radvqa-", ignore_cleanup_errors=True))
            settings |= {
                "address": "local",
                "include_dashboard": False,
                "object_store_memory": _STORE,
                "_temp_dir": folder,
                "_system_config": {"task_oom_retries": retries},
            }
            variables |= {
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN": secrets.token_hex(32),
                "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray's way to say loopback; read at its import
            }
        else:
            settings["address"] = address
        stack.enter_context(_set(variables))
        # Ray prints what it says about dead workers on stdout, which is for results
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        try:
            import ray
        except ImportError:
            raise RadvqaError("A sweep needs Ray, which is not installed: pip install 'radvqa[sweep]'.") from None
        try:
            ray.init(**settings)
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            where = "Ray cannot be started on this machine" if address is None else f"There is no cluster at {address}"
            raise RadvqaError(f"{where}: {' '.join(str(error).split())[:300]}") from None
        stack.callback(ray.shutdown)
        yield Cluster(ray)


@contextlib.contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
