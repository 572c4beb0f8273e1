"""``radvqa diagnose``: where a run fails, how sure that is, and a sheet for an expert to say why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.data.dataset import Problems
from radvqa.diagnosing import judgements, sheet_file
from radvqa.diagnosing.diagnosis import diagnosed, shown_questions
from radvqa.diagnosing.groups import FEWEST_QUESTIONS
from radvqa.diagnosing.material import Material, material
from radvqa.diagnosing.sheet import MOST, Row
from radvqa.diagnosing.taking_in import Diagnosed, sheet_folder
from radvqa.errors import DataError, RadvqaError
from radvqa.explaining.evidence.kept import KeptMaps
from radvqa.prediction import Prediction
from radvqa.run import Answers, Run
from radvqa.sample import Sample

_GREY = "grey"
_SIDE = 448  # pixels of a picture on a page


@dataclass(frozen=True)
class _Data:
    """What of the data set is at hand.

    Attributes:
        samples: of the split; empty when the data set is not here.
        train: samples that the run learned from; empty when not needed or not here.
        pictures: image name → file: of the data set, else the small copies in the run folder.
        whole: whether these are the data set's own.
        notes: what is missing.
    """

    samples: Sequence[Sample] = ()
    train: Sequence[Sample] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)
    whole: bool = False
    notes: tuple[str, ...] = ()


def diagnose(
    run: Path,
    *,
    data: str | None = None,
    split: str | None = None,
    method: str | None = None,
    pairs: bool = True,
    fewest: int = FEWEST_QUESTIONS,
    rows: int = MOST,
    backbone: str | None = None,
    intervene: bool = False,
    device: str = "auto",
    out: Path | None = None,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Diagnose a run.

    Writes ``diagnosis.json`` into the run folder, and into ``diagnosis/`` of it, or into ``out``, a page
    (``index.html``) and the review sheet (``sheet.csv``, ``sheet.html``). For another data set or split than the
    recipe's test split the names in the run folder end in ``-DATASET-SPLIT``.

    Args:
        run: a finished run folder with predictions.
        data: data set as ``name`` or ``name:version``, or a YAML file; by default the recipe's own. Where it is not
            on this machine, everything that needs pictures is left out but what the run folder keeps small copies for.
        split: by default the recipe's test split.
        method: whose maps to use; by default those that lie most in their targets beyond chance.
        pairs: cut the test along two dimensions together too.
        fewest: questions of a group.
        rows: questions on the review sheet.
        backbone: image encoder that says which pictures look alike, or ``grey`` for small grey copies; by default the
            run's own where its weights are found, else grey copies.
        intervene: cover letters, markers and margins, and ask the run again.
        device: of the run, when it is asked.
        out: folder of the page and the sheet.
        skip_bad: leave unusable rows and pictures out.

    Returns:
        What was written to ``diagnosis.json``, with ``page`` and ``sheet``, where these are.

    Raises:
        RunError: when the folder is no finished run or has no predictions.
        DataError: when the data set cannot be used, or the maps are not there.
    """
    if fewest < 2:
        raise RadvqaError(f"A group needs at least 2 questions, found --fewest {fewest}.")
    opened = Run(Path(run))
    opened.require_finished()
    with Run.held(opened.folder):
        problems = Problems(skip=skip_bad)
        answers, at_hand = _data(opened, data, split, problems, needed=intervene)
        predictions = _familiar(opened.predictions(answers), at_hand)
        kept = _maps(opened, answers, method)
        seen, looks = _looks(opened, at_hand, predictions, backbone)
        made = material(
            predictions,
            normaliser=_normaliser(opened, answers),
            quality=_quality(at_hand),
            look=seen,
            maps=kept.measured if kept else (),
            method=kept.method if kept else "",
        )
        notes = list(at_hand.notes)
        if kept is None:
            notes.append(
                "There are no maps of where the model looked, so nothing is said about right answers for wrong "
                f"reasons; `radvqa explain RUN --data {answers.dataset} --split {answers.split}` makes them."
            )
        found = diagnosed(
            made,
            dataset=answers.dataset,
            split=answers.split,
            pairs=pairs,
            fewest=fewest,
            most=rows,
            looks=looks,
            judged=Diagnosed(opened, answers).judged(),
            intervention=_intervention(opened, at_hand, made, device, problems) if intervene else None,
            notes=notes,
        )
        result = {**found.result, "left_out": list(dict.fromkeys(problems.found))}
        folder = _folder(opened, answers, out)
        files.write_json(opened.folder / answers.file("diagnosis", "json"), result)
        _write_sheet(opened, answers, folder, found.sheet, made, at_hand, kept)
        _write_page(opened, result, folder, made, at_hand, kept)
    return {**result, "page": str(folder / "index.html"), "sheet": str(folder / "sheet.html")}


def take_in(
    run: Path,
    sheets: Sequence[Path],
    *,
    data: str | None = None,
    split: str | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Read filled review sheets back, keep what they say in the run folder, and write the page anew.

    Args:
        run: a run folder that was diagnosed.
        sheets: filled CSV files; several reviewers may share a file or have one each.
        data: as for ``diagnose``.
        split: as for ``diagnose``.
        out: folder of the page.

    Returns:
        The diagnosis with what was judged, as ``diagnose`` returns it.

    Raises:
        RunError: when the run was not diagnosed.
        DataError: when a sheet cannot be read or belongs to other answers; nothing is kept then.
    """
    opened = Run(Path(run))
    opened.require_finished()
    with Run.held(opened.folder):
        answers, at_hand = _data(opened, data, split, Problems(skip=True))
        diagnosed_run = Diagnosed(opened, answers)
        result = diagnosed_run.result()
        made = diagnosed_run.material(result)
        new = []
        for sheet in sheets:
            judged = sheet_file.read(Path(sheet))
            judgements.require_known(judged, made, Path(sheet))
            new += judged
        if not new:
            raise DataError(f"No row of {', '.join(map(str, sheets))} has a verdict; fill the column verdict first.")
        result = diagnosed_run.keep(judgements.joined(diagnosed_run.judged(), new), result, made)
        folder = _folder(opened, answers, out)
        method = result["maps"]["method"] if result["maps"] else None
        kept = _maps(opened, answers, method) if method else None
        _write_page(opened, result, folder, made, at_hand, kept)
    return {**result, "page": str(folder / "index.html"), "sheet": str(folder / "sheet.html")}


def _data(
    run: Run, data: str | None, split: str | None, problems: Problems, *, needed: bool = False
) -> tuple[Answers, _Data]:
    """Find the questions, and of the data set what is at hand."""
    from radvqa.commands.own_data import full_name
    from radvqa.data import registry

    answers = run.answers(full_name(data), split)
    place = data or run.recipe["data"].get("file") or answers.dataset
    learned = run.recipe["data"].get("train")
    try:
        samples = registry.load(place, problems) if not answers.split.endswith(".json") else []
    except DataError as error:
        if needed or data is not None:
            raise
        small = _thumbnails(run, answers)
        what = "only the small copies in the run folder" if small else "no pictures"
        return answers, _Data(pictures=small, notes=(f"There were {what} at hand: {error}",))
    asked = [sample for sample in samples if sample.split == answers.split]
    asked = asked or registry.load_split(place, answers.split, problems)
    own = answers.dataset == run.recipe["data"]["name"]
    train = [sample for sample in samples if own and sample.split == learned]
    return answers, _Data(asked, train, {sample.image: sample.image_path for sample in asked}, whole=True)


def _thumbnails(run: Run, answers: Answers) -> dict[str, Path]:
    from radvqa.report.examples import listed_files

    listed = listed_files(run.thumbnails(answers) / "index.json")
    return {name: path for name, path in listed.items() if path.is_file()}


def _familiar(predictions: Sequence[Prediction], data: _Data) -> Sequence[Prediction]:
    """Note how often training has each gold answer, where the run does not know it and the data set does."""
    from radvqa.scoring.baselines import fit_baselines
    from radvqa.text import NORMALISERS, normaliser_for

    if not data.train or any(p.answer_count is not None for p in predictions):
        return predictions
    return fit_baselines(data.train, NORMALISERS[normaliser_for(p.language for p in predictions)]).familiar(predictions)


def _normaliser(run: Run, answers: Answers) -> str | None:
    """Name the normaliser of the run's scores, so that right means what it means there."""
    path = run.folder / answers.file("scores", "json")
    return run.scores(answers).get("normaliser") if path.is_file() else None


def _quality(data: _Data) -> dict[str, Any]:
    from radvqa.diagnosing.quality import measured

    return measured(data.pictures) if data.whole else {}  # a small copy says nothing of size, text and sharpness


def _looks(
    run: Run, data: _Data, predictions: Sequence[Prediction], backbone: str | None
) -> tuple[dict[str, str], str]:
    """Gather pictures that look alike: image name → cluster, and what said so."""
    from radvqa.diagnosing.clusters import FEWEST_PICTURES, cluster_names, clustered
    from radvqa.diagnosing.looks import backbone_looks, grey_looks

    if len(data.pictures) < FEWEST_PICTURES:
        return {}, ""
    model = run.recipe.get("model", {})
    own = (model.get("backbone") or model.get("vision")) if model.get("pretrained", True) else None
    wanted = backbone or own
    found = None
    if isinstance(wanted, str) and wanted != _GREY:
        try:
            found = backbone_looks(data.pictures, wanted)
        except RadvqaError:  # not found, or a backbone without patches
            if backbone is not None:
                raise
    found = found or grey_looks(data.pictures)
    return cluster_names(clustered(found), predictions), found.source


def _maps(run: Run, answers: Answers, method: str | None) -> KeptMaps | None:
    from radvqa.diagnosing.reasons import best_method
    from radvqa.explaining.evidence import kept

    folder = run.folder / f"explained{answers.suffix}"
    if method is not None:
        return kept.read(folder, method)
    return best_method([kept.read(folder, name) for name in kept.methods(folder)])


def _intervention(run: Run, data: _Data, made: Material, device: str, problems: Problems) -> list[dict[str, Any]]:
    from radvqa import device as devices
    from radvqa.diagnosing.intervening import intervened
    from radvqa.models.checkpoint import load_model

    run.require_model()
    model = load_model(run.checkpoints, devices.choose(device))
    return intervened(model, data.samples, made, problems)


def _folder(run: Run, answers: Answers, out: Path | None) -> Path:
    return Path(out) if out is not None else sheet_folder(run, answers)


def _write_sheet(
    run: Run,
    answers: Answers,
    folder: Path,
    rows: Sequence[Row],
    made: Material,
    data: _Data,
    kept: KeptMaps | None,
) -> None:
    from radvqa.report.diagnosis.sheet import sheet_page

    asked = [p for p in made.predictions if p.id in {row.id for row in rows}]
    pictures, overlays = _pictures(asked, data, kept)
    title = f"{run.name} on {answers.dataset} {answers.split}"
    page = sheet_page(rows, title=title, pictures=pictures, overlays=overlays, columns=sheet_file.COLUMNS)
    files.write_text(folder / "sheet.csv", sheet_file.written(rows))
    files.write_text(folder / "sheet.html", page)


def _write_page(
    run: Run, result: Mapping[str, Any], folder: Path, made: Material, data: _Data, kept: KeptMaps | None
) -> None:
    from radvqa.report.diagnosis.page import page

    shown = set(shown_questions(result))
    asked = {p.id: p for p in made.predictions if p.id in shown}
    pictures, overlays = _pictures(list(asked.values()), data, kept)
    wanted = {name for cluster in result["alike"]["clusters"] for name in cluster["examples"]} - pictures.keys()
    pictures |= _decoded({name: data.pictures[name] for name in wanted if name in data.pictures})
    right = {p.id: bool(value) for p, value in zip(made.predictions, made.right, strict=True)}
    text = page(result, name=run.name, asked=asked, right=right, pictures=pictures, overlays=overlays)
    files.write_text(folder / "index.html", text)


def _pictures(
    asked: Sequence[Prediction], data: _Data, kept: KeptMaps | None
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return WebP of each question's picture by image name, and with its map laid over by the question's id."""
    from radvqa.data import image
    from radvqa.errors import ImageError
    from radvqa.report.diagnosis.overlay import overlaid

    maps = {one.id: row for row, one in enumerate(kept.measured)} if kept is not None else {}
    pictures: dict[str, bytes] = {}
    overlays: dict[str, bytes] = {}
    for p in asked:
        path = data.pictures.get(p.image)
        if path is None or (p.image in pictures and p.id not in maps):
            continue
        try:
            pixels = image.shrink(image.decode(path), _SIDE)
        except ImageError:
            continue
        pictures.setdefault(p.image, image.encode_webp(pixels))
        if kept is not None and p.id in maps:
            overlays[p.id] = image.encode_webp(overlaid(pixels, kept.maps[maps[p.id]]))
    return pictures, overlays


def _decoded(pictures: Mapping[str, Path]) -> dict[str, bytes]:
    from radvqa.data import image
    from radvqa.errors import ImageError

    found = {}
    for name, path in pictures.items():
        try:
            found[name] = image.encode_webp(image.shrink(image.decode(path), _SIDE // 2))
        except ImageError:
            continue
    return found
