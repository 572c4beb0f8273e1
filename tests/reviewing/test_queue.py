"""The review queue: every decision once, none lost, nobody in the other's way; and what becomes of the pairs."""

import multiprocessing
import random
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from made_reviews import decision, pairs, queue_of
from sklearn.metrics import cohen_kappa_score

from radvqa.reviewing.agreement import agreements
from radvqa.reviewing.deciding import apply
from radvqa.reviewing.label_studio import CONFIGURATION, decisions, tasks
from radvqa.reviewing.queue import LEASE_SECONDS, ReviewError, ReviewQueue


class Reviewing(RuleBasedStateMachine):
    """Three reviewers at one queue, held against a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.queue = queue_of(Path(self.folder.name), 6, overlap=0.5)
        self.said: dict[tuple[str, str], str] = {}
        self.order: dict[str, list[str]] = {}
        self.count = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(
        who=st.sampled_from(["Ann", "Bob", "Eve"]),
        verdict=st.sampled_from(["pass", "discard", "skip"]),
        twice=st.booleans(),
    )
    def decides(self, who: str, verdict: str, twice: bool) -> None:
        offered = self.queue.next(who)
        if not offered:
            return
        (name,) = [pair.id for pair in offered]
        assert (who, name) not in self.said
        self.count += 1
        made = decision(name, who, verdict, token=f"token-{self.count}")
        assert self.queue.decide(made)
        assert not twice or not self.queue.decide(made)
        self.said[who, name] = verdict
        self.order.setdefault(who, []).append(name)

    @rule(who=st.sampled_from(["Ann", "Bob", "Eve"]))
    def undoes(self, who: str) -> None:
        back = self.queue.undo(who)
        mine = self.order.get(who, [])
        assert (None if back is None else back.id) == (mine[-1] if mine else None)
        if mine:
            del self.said[who, mine.pop()]

    @rule()
    def opens_again(self) -> None:
        self.queue = ReviewQueue(self.queue.path)

    @invariant()
    def holds_what_was_said(self) -> None:
        found = {(made.reviewer, made.pair): made.verdict for made in self.queue.decisions()}
        assert found == self.said
        progress = self.queue.progress()
        assert sum(progress[v] for v in ("pass", "discard", "skip")) == len(self.said)
        judged = [name for (_, name), verdict in self.said.items() if verdict != "skip"]
        assert progress["done"] <= len(set(judged))


Reviewing.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestReviewing = Reviewing.TestCase


def test_two_reviewers_get_different_pairs_until_a_lease_ends(tmp_path: Path) -> None:
    now = [1000.0]
    queue = queue_of(tmp_path, 4, overlap=0, clock=lambda: now[0])
    assert [pair.id for pair in queue.next("Ann", 2)] == ["p0", "p1"]
    assert [pair.id for pair in queue.next("Bob", 9)] == ["p2", "p3"]
    assert [pair.id for pair in queue.next("Ann", 9)] == ["p0", "p1"]  # her own are offered again
    assert [pair.id for pair in queue.next("Ann", 9, after=["p0"])] == ["p1"]
    now[0] += LEASE_SECONDS + 1
    assert [pair.id for pair in queue.next("Bob", 9)] == ["p0", "p1", "p2", "p3"]


def test_pairs_that_two_shall_judge_are_left_until_two_have(tmp_path: Path) -> None:
    queue = queue_of(tmp_path, 1, overlap=1)
    queue.decide(decision("p0", "Ann"))
    assert (queue.progress()["left"], queue.next("Ann")) == (1, [])
    assert [pair.id for pair in queue.next("Bob")] == ["p0"]
    queue.decide(decision("p0", "Bob", "skip"))
    assert queue.progress()["left"] == 1
    queue.decide(decision("p0", "Eve", "discard"))
    assert (queue.progress()["left"], queue.next("Dan")) == (0, [])


def test_adding_again_adds_what_is_new_and_forgets_nothing(tmp_path: Path) -> None:
    queue = queue_of(tmp_path, 3, overlap=0)
    queue.decide(decision("p1", "Ann", "discard"))
    assert queue.add(pairs(5), overlap=0) == 2
    assert [pair.id for pair in queue.next("Ann", 9)] == ["p0", "p2", "p3", "p4"]
    assert [pair.id for pair in queue.pairs()] == [f"p{n}" for n in range(5)]


def _review(path: Path, who: str, count: int) -> None:
    queue = ReviewQueue(path)
    for number in range(count):
        for pair in queue.next(who):
            queue.decide(decision(pair.id, who, token=f"{who}-{number}"))


def test_two_servers_on_one_file_lose_nothing(tmp_path: Path) -> None:
    queue = queue_of(tmp_path, 60, overlap=0)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_review, args=(queue.path, f"R{n}", 30)) for n in range(2)]
    threads = [threading.Thread(target=_review, args=(queue.path, f"T{n}", 10)) for n in range(2)]
    for worker in workers:
        worker.start()
    for thread in threads:
        thread.start()
    for worker in workers:
        worker.join()
    for thread in threads:
        thread.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    found = [made.pair for made in queue.decisions()]
    assert len(found) == len(set(found)) == 60


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (decision("p9", "Ann"), "There is no pair 'p9'"),
        (decision("p0", " "), "A reviewer needs a name"),
        (decision("p0", "x" * 61), "A reviewer needs a name"),
        (decision("p0", "A\x00nn"), "A reviewer needs a name"),
        (decision("p0", "Ann", "pas"), "no verdict 'pas'"),
        (decision("p0", "Ann", reasons=("wrnog",)), "no tag 'wrnog'; did you mean 'wrong'"),
        (decision("p0", "Ann", answer="  "), "must not be empty"),
    ],
)
def test_decisions_that_cannot_be(made: object, said: str, tmp_path: Path) -> None:
    queue = queue_of(tmp_path, 1)
    with pytest.raises(ReviewError, match=said):
        queue.decide(made)  # type: ignore[arg-type]
    assert queue.decisions() == []


def test_files_that_are_no_queues(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(b"no database at all, but long enough to look at" * 30)
    with pytest.raises(ReviewError, match="is damaged or is no review queue"):
        ReviewQueue(path)
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("CREATE TABLE t (x)")
    other.commit()
    other.close()
    with pytest.raises(ReviewError, match="holds something else"):
        ReviewQueue(tmp_path / "other.sqlite")
    with pytest.raises(ReviewError, match="between 0 and 1"):
        queue_of(tmp_path, 2, overlap=2)


def test_kappa_is_that_of_the_reference() -> None:
    random.seed(3)
    said = [(random.choice(["pass", "discard"]), random.choice(["pass", "pass", "discard"])) for _ in range(40)]
    made = [
        decision(f"p{n}", who, v) for n, both in enumerate(said) for who, v in zip(("Ann", "Bob"), both, strict=True)
    ]
    (found,) = agreements([*made, decision("p99", "Ann"), decision("p0", "Eve", "skip")])
    assert (found.reviewers, found.pairs) == (("Ann", "Bob"), 40)
    assert found.same == pytest.approx(sum(a == b for a, b in said) / 40)
    assert found.kappa == pytest.approx(cohen_kappa_score(*zip(*said, strict=True)))
    (agreed,) = agreements([decision("p0", who) for who in ("Ann", "Bob")])
    assert (agreed.same, agreed.kappa) == (1, None)


def test_what_becomes_of_pairs() -> None:
    table = pairs(6)
    made = [
        decision("p0", "Ann"),
        decision("p1", "Ann", "discard", reasons=("wrong",)),
        decision("p2", "Ann"),
        decision("p2", "Bob", "discard"),
        decision("p3", "Ann", answer="Spleen"),
        decision("p4", "Ann", "skip"),
    ]
    found = apply(table, made)
    assert [pair.dropped for pair in found.pairs] == ["", "discarded", "disputed", "", "unreviewed", "unreviewed"]
    assert (found.pairs[3].answer, found.pairs[3].edited) == ("Spleen", (table[3].question, table[3].answer))
    counted = {key: found.statistics[key] for key in ("passed", "discarded", "disputed", "unreviewed", "edited")}
    assert counted == {"passed": 2, "discarded": 1, "disputed": 1, "unreviewed": 2, "edited": 1}
    assert found.statistics["reasons"] == {"wrong": 1}
    assert apply(found.pairs, made).pairs == found.pairs
    assert [pair.dropped for pair in apply(table, made, keep_unreviewed=True).pairs[4:]] == ["", ""]
    undone = apply(found.pairs, [decision("p3", "Ann")]).pairs[3]
    assert (undone.answer, undone.edited) == (table[3].answer, ())


def test_label_studio_and_back(tmp_path: Path) -> None:
    queue = queue_of(tmp_path, 3, overlap=0)
    written = tasks(queue.pairs())
    assert written[0]["data"]["image"].startswith("/data/local-files/?d=")
    assert '<Choice value="discard"/>' in CONFIGURATION

    def judged(number: int, verdict: str, **texts: str) -> dict[str, object]:
        result = [{"from_name": "verdict", "type": "choices", "value": {"choices": [verdict]}}]
        result += [{"from_name": n, "type": "textarea", "value": {"text": [t]}} for n, t in texts.items()]
        result.append({"from_name": "reasons", "type": "choices", "value": {"choices": ["wrong"]}})
        annotation = {"id": number, "completed_by": {"email": "ann@x.org"}, "result": result}
        return {**written[number], "annotations": [annotation, {"id": 9, "was_cancelled": True, "result": []}]}

    export = [
        judged(0, "pass", answer="Spleen", question="Q0?"),
        judged(1, "discard"),
        {**written[2], "annotations": []},
    ]
    found = decisions(export, "export.json")
    assert [(made.pair, made.verdict, made.question, made.answer) for made in found] == [
        ("p0", "pass", None, "Spleen"),
        ("p1", "discard", None, None),
    ]
    assert [queue.decide(made) for made in found] == [True, True]
    assert [queue.decide(made) for made in decisions(export, "export.json")] == [False, False]
    for bad, said in (({}, "must be a list"), ([{"data": {}}], "task 1 does not name its pair")):
        with pytest.raises(Exception, match=said):
            decisions(bad, "export.json")
