"""``radvqa curate``: captions to checked training questions, step by step over one table."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import console, files
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, ImageError

if TYPE_CHECKING:
    from radvqa.curating.material import Material
    from radvqa.curating.pair import Pair
    from radvqa.curating.selecting import Wanted
    from radvqa.endpoint.client import ChatEndpoint
    from radvqa.sample import Sample

_SIDE = 768  # pixels; longest side of a picture that is sent along


@dataclass(frozen=True)
class Writer:
    """The language model that is asked.

    Attributes:
        url: base address of an OpenAI-compatible endpoint, for instance ``http://127.0.0.1:11434/v1``.
        model: its name there.
        temperature: of sampling; None leaves it to the server.
        seed: of sampling; None leaves it to the server.
        max_tokens: limit of one reply; None leaves it to the server.
        concurrency: requests under way at once.
        timeout: seconds for one request.
        retries: how often one request is sent again.
    """

    url: str
    model: str
    temperature: float | None = 0.0
    seed: int | None = 0
    max_tokens: int | None = 1024
    concurrency: int = 8
    timeout: float = 300.0
    retries: int = 5

    def endpoint(self) -> "ChatEndpoint":
        """Make the endpoint."""
        from radvqa.endpoint.client import ChatEndpoint

        return ChatEndpoint(
            self.url,
            self.model,
            timeout=self.timeout,
            retries=self.retries,
            concurrency=self.concurrency,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Captions:
    """What is written from.

    Attributes:
        data: data set with captions: NAME, NAME:VERSION or a YAML file of one's own.
        split: its split.
        limit: at most so many pictures; None takes all.
        without_pictures_of: data sets whose pictures are left out.
    """

    data: str
    split: str
    limit: int | None = None
    without_pictures_of: tuple[str, ...] = ()


def _materials(captions: Captions, problems: Problems) -> list["Material"]:
    from radvqa.curating.material import materials
    from radvqa.data import keep, registry
    from radvqa.data.leaks.apart import without_pictures_of

    samples = [s for s in registry.load_split(captions.data, captions.split, problems) if s.task == "caption"]
    if not samples:
        raise DataError(f"{captions.data} {captions.split} holds no captions; `radvqa data list` says what does.")
    kept, _ = without_pictures_of(samples, captions.without_pictures_of, problems)
    return materials(keep.capped(kept, captions.limit))


def plan(
    captions: Captions,
    templates: Sequence[str] = ("mixed",),
    *,
    tokens_per_second: float | None = None,
    price_in: float | None = None,
    price_out: float | None = None,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Say how many requests, tokens and hours a generation would take; nothing is asked.

    Returns:
        ``pictures``, ``captions`` that are written from, ``empty`` ones, those that speak to a model (``commands``),
        ``templates``, and what ``estimate`` says.

    Raises:
        RadvqaError: for data or templates that cannot be used.
    """
    from radvqa.curating.estimate import estimate
    from radvqa.curating.template import load_template

    told = [load_template(template) for template in templates]
    materials = _materials(captions, Problems(skip=skip_bad))
    planned = estimate(materials, told, tokens_per_second=tokens_per_second, price_in=price_in, price_out=price_out)
    return {
        "pictures": len({material.sample.image for material in materials}),
        "captions": len(materials),
        "empty": sum("empty" in material.notes for material in materials),
        "commands": sum("commands" in material.notes for material in materials),
        "templates": [template.called for template in told],
        **planned.as_json(),
    }


def generate(
    captions: Captions,
    writer: Writer,
    out: Path,
    templates: Sequence[str] = ("mixed",),
    *,
    pictures: bool = False,
    prices: tuple[float, float] | None = None,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Have a language model write questions and answers, and write the table.

    Replies are kept in the cache as they come; the same command after an interruption asks only what is missing.

    Args:
        captions: what is written from.
        writer: who writes.
        out: the table, .jsonl or .parquet.
        templates: names of built-in prompts, or files.
        pictures: send pictures along; the endpoint must take them.
        prices: of a million tokens read, and of a million written.
        skip_bad: leave unusable rows out.

    Returns:
        the step as the card tells it, and the table.

    Raises:
        RadvqaError: for data, templates, an endpoint or a file that cannot be used.
    """
    from radvqa.curating import pair_table, steps
    from radvqa.curating.generate import generate as written
    from radvqa.curating.template import load_template

    told = [load_template(template) for template in templates]
    materials = _materials(captions, Problems(skip=skip_bad))
    endpoint = writer.endpoint()
    made = written(materials, told, endpoint, _cache(), _as_uri if pictures else None)
    step: dict[str, Any] = {
        "step": "generate",
        "data": captions.data,
        "split": captions.split,
        "without_pictures_of": list(captions.without_pictures_of),
        "captions": len(materials),
        "model": writer.model,
        "sampling": endpoint.sampling,
        "templates": {t.called: {"sha256": t.sha256, "text": t.text} for t in told},
        "pictures": pictures,
        "pairs": len(made.pairs),
        "counts": dict(made.counts),
        "tokens": dict(made.tokens),
    }
    if prices is not None:
        step["cost"] = round((prices[0] * made.tokens["prompt"] + prices[1] * made.tokens["completion"]) / 1e6, 4)
    pair_table.write_pairs(out, made.pairs)
    steps.write_steps(out, [step])
    return {"table": str(out), **step, "requests": made.requests, "cached": made.cached}


def filter_table(
    table: Path,
    out: Path | None = None,
    *,
    without: Sequence[str] = (),
    most: float | None = None,
    tests: Sequence[str] = (),
    wanted: "Wanted | None" = None,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Try every rule on every pair; what is taken out stays in the table, with the rule's name.

    Args:
        table: to read.
        out: to write; by default the same.
        without: names of rules that are switched off.
        most: largest share of yes or no among closed questions.
        tests: data sets whose test questions must not be learned, as NAME, or NAME:VERSION.
        wanted: which categories are kept.
        skip_bad: leave unusable rows of those data sets out.

    Returns:
        the step as the card tells it, and the table.

    Raises:
        RadvqaError: for a table, a rule or a data set that cannot be used.
    """
    from radvqa.curating import pair_table
    from radvqa.curating.balance import MOST
    from radvqa.curating.filter import Settings, filter_pairs

    pairs = pair_table.read_pairs_of(table)
    settings = Settings(tuple(without), MOST if most is None else most, wanted=wanted)
    found = filter_pairs(pairs, settings, _test_samples(tests, Problems(skip=skip_bad)))
    step = {
        "step": "filter",
        "before": len(pairs),
        "after": len(found.kept),
        "without": list(without),
        "tests": list(tests),
        "noticed": found.noticed,
        "taken": found.taken,
    }
    return _written(table, out, found.pairs, step)


def verify_table(table: Path, writer: Writer, out: Path | None = None, *, strict: bool = False) -> dict[str, Any]:
    """Have a language model check pairs against the captions that they were written from.

    Args:
        table: to read.
        writer: who checks.
        out: to write; by default the same.
        strict: take out what the model is unsure of too.
    """
    from radvqa.curating import pair_table
    from radvqa.curating.verify import verify

    found = verify(pair_table.read_pairs_of(table), writer.endpoint(), _cache(), strict=strict)
    step = {
        "step": "verify",
        "model": writer.model,
        "strict": strict,
        "verdicts": found.verdicts,
        "tokens": found.tokens,
        "template_sha256": found.template_sha256,
        "after": sum(not pair.dropped for pair in found.pairs),
    }
    done = _written(table, out, found.pairs, step)
    return {**done, "requests": found.requests, "cached": found.cached}


def collect(table: Path, queue: Path, out: Path | None = None, *, keep_unreviewed: bool = False) -> dict[str, Any]:
    """Put the decisions of a review into the table.

    Args:
        table: to read.
        queue: of the review.
        out: to write; by default the same.
        keep_unreviewed: keep pairs that nobody judged.
    """
    from radvqa.curating import pair_table
    from radvqa.reviewing.deciding import apply
    from radvqa.reviewing.queue import ReviewQueue

    _exists(queue)
    found = apply(pair_table.read_pairs_of(table), ReviewQueue(queue).decisions(), keep_unreviewed=keep_unreviewed)
    step = {"step": "review", "statistics": found.statistics, "keep_unreviewed": keep_unreviewed}
    return _written(table, out, found.pairs, step)


def queue_of(table: Path, queue: Path | None, overlap: float) -> tuple[Path, int]:
    """Put the pairs of a table that are still in into its review queue.

    Returns:
        the queue's file, and how many pairs are new in it.
    """
    from radvqa.curating import pair_table
    from radvqa.reviewing.queue import ReviewQueue

    path = queue or table.with_suffix(".review.sqlite")
    pairs = [pair for pair in pair_table.read_pairs_of(table) if not pair.dropped]
    return path, ReviewQueue(path).add(pairs, overlap)


def to_label_studio(table: Path, out: Path) -> dict[str, Any]:
    """Write the pairs that are still in as tasks for Label Studio, and the labelling configuration beside them."""
    from radvqa.curating import pair_table
    from radvqa.reviewing.label_studio import CONFIGURATION, tasks

    pairs = [pair for pair in pair_table.read_pairs_of(table) if not pair.dropped]
    configuration = out.with_suffix(".xml")
    files.write_json(out, tasks(pairs))
    files.write_text(configuration, CONFIGURATION)
    return {"tasks": len(pairs), "file": str(out), "configuration": str(configuration)}


def from_label_studio(export: Path, queue: Path) -> dict[str, Any]:
    """Take the decisions of a Label Studio export into a review queue; the same export again changes nothing."""
    from radvqa.reviewing.label_studio import decisions
    from radvqa.reviewing.queue import ReviewQueue

    _exists(queue)
    found = decisions(files.read_json(export), str(export))
    taken = ReviewQueue(queue)
    new = sum(taken.decide(decision) for decision in found)
    return {"decisions": len(found), "new": new, "queue": str(queue)}


def mix_tables(
    tables: Sequence[str],
    out: Path,
    *,
    name: str | None = None,
    anneal: Sequence[Path] = (),
    by: str = "organ",
    validate: float = 0.1,
) -> dict[str, Any]:
    """Make a data set of checked pairs: table, description, card with pictures, and parts of a recipe.

    Args:
        tables: each a file, or FILE=SHARE.
        out: folder of the data set.
        name: of the data set; the folder's by default.
        anneal: tables that are kept for the end of a training.
        by: category of the counts and pictures.
        validate: share of cases held out of tables without a validation split.

    Returns:
        ``data`` (the YAML file that recipes name), ``pairs`` by split, ``left_out``, ``card``.

    Raises:
        RadvqaError: for a table or a share that cannot be used.
    """
    from radvqa.curating import data_set, pair_table, steps
    from radvqa.curating.card import card
    from radvqa.curating.mix import Source, as_explored, mix
    from radvqa.report.figures import style
    from radvqa.report.figures.curated_mix import before_and_after

    named = [(*_share(table), False) for table in tables] + [(path, None, True) for path in anneal]
    sources = [Source(path.stem, pair_table.read_pairs_of(path), share, end) for path, share, end in named]
    mixed = mix(sources, by=by, validate=validate)
    called = name or out.name
    owners = _owners([pair.dataset for source in sources for pair in source.pairs if not pair.dropped])
    licence = "; ".join(dict.fromkeys(owner["licence"] for owner in owners))
    written = data_set.write_data_set(out, mixed, called, licence)
    data = written.get("vqa") or written["choice"]
    recipe = data_set.stages(data, mixed)
    done = {path.stem: steps.read_steps(path) for path, _, _ in named}
    text = card(called, mixed, done, owners, by=by, recipe=recipe, prompts=_prompts(done))
    figure = before_and_after(as_explored(mixed.before, "rows"), as_explored(mixed.after, "rows"), by)
    files.write_bytes(out / "mix.png", style.png(figure))
    files.write_text(out / "stages.yaml", recipe)
    files.write_text(out / "README.md", text)
    splits = dict.fromkeys(part for _, part, _ in mixed.rows)
    return {
        "data": {task: str(path) for task, path in written.items()},
        "pairs": {part: len(mixed.of_split(part)) for part in splits},
        "left_out": mixed.left_out,
        "card": str(out / "README.md"),
    }


def _written(table: Path, out: Path | None, pairs: Sequence["Pair"], step: Mapping[str, Any]) -> dict[str, Any]:
    """Write the table and what was done; first the steps, so that a table never claims less than it went through."""
    from radvqa.curating import pair_table, steps

    target = out or table
    known = steps.with_step(table, step)
    steps.write_steps(target, known)
    pair_table.write_pairs(target, pairs)
    return {"table": str(target), **step}


def _cache() -> Any:
    from radvqa.endpoint.cache import ReplyCache

    return ReplyCache(files.cache_folder() / "replies.sqlite")


def _as_uri(material: "Material") -> str | None:
    """A picture as a data URI; one that cannot be read is left out, and said to be."""
    from radvqa.data.image import decode, encode_jpeg, shrink

    try:
        content = encode_jpeg(shrink(decode(material.sample.image_path), _SIDE))
    except ImageError as error:
        console.say(f"Asked without its picture: {error}")
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _test_samples(tests: Sequence[str], problems: Problems) -> list["Sample"]:
    from radvqa.data import registry

    return [sample for name in tests for sample in registry.load_split(name, "test", problems)]


def _exists(queue: Path) -> None:
    if not queue.is_file():
        raise DataError(f"There is no review queue {queue}; `radvqa curate review TABLE` makes one.")


def _share(table: str) -> tuple[Path, float | None]:
    path, equals, share = table.rpartition("=")
    if not equals:
        return Path(table), None
    try:
        return Path(path), float(share)
    except ValueError:
        raise DataError(f"{table!r}: what follows = must be a share, for instance pairs.jsonl=2.") from None


def _owners(datasets: Sequence[str]) -> list[dict[str, str]]:
    """Whose material it is, as the data sets say."""
    from radvqa.data import registry

    found = []
    for name in dict.fromkeys(datasets):
        if not name or not registry.knows(name):
            found.append({"name": name, "title": "", "licence": "not known here", "citation": "", "terms": ""})
            continue
        facts = registry.select(name).data_set.facts
        said = {"title": facts.title, "licence": facts.licence, "citation": facts.citation, "terms": facts.terms}
        found.append({"name": name, **said})
    return found


def _prompts(done: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    return {
        called: template["text"]
        for steps in done.values()
        for step in steps
        for called, template in step.get("templates", {}).items()
    }
