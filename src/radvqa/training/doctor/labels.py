"""Do the labels say the gold answers, and nothing else?"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from radvqa import text
from radvqa.models.classifier import AnswerClassifier
from radvqa.models.generator import Generator
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN
from radvqa.models.vocabulary import UNKNOWN_ANSWER
from radvqa.training.doctor.finding import Finding, named
from radvqa.training.doctor.patient import CountsImageTokens, Patient, writer


@dataclass(frozen=True)
class Decoded:
    """A row as the model reads and learns it, back in words.

    Attributes:
        id: of the sample.
        prompt: what is read.
        learned: what carries the loss.
        gold: the answer in the data.
        ignored: read positions that carry no loss, by kind (``text``, ``picture``, ``padding``).
    """

    id: str
    prompt: str
    learned: str
    gold: str
    ignored: dict[str, int]


def decoded(patient: Patient) -> list[Decoded]:
    """Decode what every row teaches; empty for models that neither write nor choose among the training answers."""
    model, samples = patient.model, patient.prepared.samples
    if isinstance(model, AnswerClassifier):
        learned = [model.answers.spell(label) for label in patient.prepared.labels.tolist()]
        return [Decoded(s.id, s.question, told, s.answer, {}) for s, told in zip(samples, learned, strict=True)]
    if not isinstance(model, Generator):
        return []
    prompts = model.net.prompts(patient.prepared.inputs, patient.rows)
    lesson = patient.lesson
    rows = []
    for row, (sample, prompt) in enumerate(zip(samples, prompts, strict=True)):
        learned = model.net.tokenizer.decode(_learned(lesson.targets[row]), skip_special_tokens=False)
        rows.append(Decoded(sample.id, prompt, learned, sample.answer, _ignored(patient, row)))
    return rows


def _learned(targets: Tensor) -> list[int]:
    tokens: list[int] = targets[targets != IGNORED].tolist()
    return tokens


def _ignored(patient: Patient, row: int) -> dict[str, int]:
    lesson = patient.lesson
    if not shapes_fit(patient):
        return {}
    silent, real = lesson.targets[row] == IGNORED, lesson.real[row]
    picture = lesson.inputs[row] == IMAGE_TOKEN
    return {
        "text": int((silent & real & ~picture).sum()),
        "picture": int((silent & real & picture).sum()),
        "padding": int((silent & ~real).sum()),
    }


def shapes_fit(patient: Patient) -> bool:
    """Whether inputs, labels and padding are laid out position by position; nothing can be computed else."""
    lesson = patient.lesson
    return lesson.inputs.shape == lesson.targets.shape == lesson.real.shape


def labels_fit(patient: Patient) -> Iterator[Finding]:
    """Every position has one label, and what is read next is what had to be written."""
    check, lesson = "labels_fit_inputs", patient.lesson
    if not shapes_fit(patient):
        shapes = f"{tuple(lesson.inputs.shape)} and {tuple(lesson.targets.shape)}"
        yield Finding(
            check,
            "error",
            f"Inputs and labels differ in shape, {shapes}: lay the labels out beside the inputs, position by "
            f"position, not from the answer alone. Nothing else was examined.",
        )
        return
    wrong = []
    for row, sample in enumerate(patient.prepared.samples):
        words = lesson.real[row] & (lesson.inputs[row] != IMAGE_TOKEN)
        places = (words & (lesson.targets[row] != IGNORED)).nonzero()[:, 0]
        read = lesson.inputs[row, places[1:]]
        if read.tolist() != lesson.targets[row, places[:-1]].tolist():
            wrong.append(sample.id)
    if wrong:
        yield Finding(
            check,
            "error",
            f"A label is not the token that is read next, in {len(wrong)} rows ({named(wrong)}): the labels are "
            f"shifted against the inputs; the target of a position is the input of the next learned one.",
        )


def labels_decode(patient: Patient) -> Iterator[Finding]:
    """What is learned is the gold answer."""
    check, model = "labels_decode_to_gold", patient.model
    if isinstance(model, AnswerClassifier):
        normalise = text.NORMALISERS[model.answers.normaliser]
        told = [(row.gold, row.learned) for row in decoded(patient) if normalise(row.gold) != normalise(row.learned)]
        unknown = sum(learned == UNKNOWN_ANSWER for _, learned in told)
        if told:
            yield Finding(
                check,
                "error",
                f"{len(told)} labels do not stand for the gold answer ({unknown} for an unknown one), for instance "
                f"{told[0][1]!r} for {told[0][0]!r}: count the answers of the samples that are learned from.",
            )
        return
    tokenizer = writer(model).net.tokenizer
    for row, sample in enumerate(patient.prepared.samples):
        tokens = _learned(patient.lesson.targets[row])
        said = _plain(tokenizer.decode(tokens, skip_special_tokens=True))
        if not tokens or said != _plain(tokenizer.decode(_gold_tokens(patient, row), skip_special_tokens=True)):
            continue  # other tokens than the answer's: the next checks name them
        if said.replace(" ", "") != _plain(sample.answer).replace(" ", ""):
            yield Finding(
                check,
                "error",
                f"The labels of {sample.id} decode to {said!r}, but the gold answer is {sample.answer!r}: make the "
                f"tokens of an answer with the tokenizer that reads them, without cutting.",
            )
            return


def _gold_tokens(patient: Patient, row: int) -> list[int]:
    """The tokens of a row's gold answer, the end included."""
    tokens: list[int] = patient.prepared.answers[row]
    return tokens


def pads_are_silent(patient: Patient) -> Iterator[Finding]:
    """No loss on padding."""
    lesson = patient.lesson
    loud = ((lesson.targets != IGNORED) & ~lesson.real).sum(1)
    after = [
        len(learned) - len(answer)
        for row in range(len(patient.rows))
        if (learned := _learned(lesson.targets[row]))[: len(answer := _gold_tokens(patient, row))] == answer
    ]
    if loud.any() or any(extra > 0 for extra in after):
        count = max(int(loud.sum()), sum(extra for extra in after if extra > 0))
        share = 100 * count / max(1, int((lesson.targets != IGNORED).sum()))
        yield Finding(
            "pads_carry_no_loss",
            "error",
            f"{count} positions of padding are learned, {share:.0f} % of what carries the loss: set the targets of "
            f"padding to {IGNORED}, in the tensor that the loss reads.",
        )


def prompts_are_silent(patient: Patient) -> Iterator[Finding]:
    """No loss before the answer, and none on image tokens."""
    lesson = patient.lesson
    pictures = int(((lesson.inputs == IMAGE_TOKEN) & (lesson.targets != IGNORED)).sum())
    early = []
    for row, sample in enumerate(patient.prepared.samples):
        learned, answer = _learned(lesson.targets[row]), _gold_tokens(patient, row)
        if learned != answer and learned[: len(answer)] != answer:
            early.append(sample.id)
    if pictures:
        yield Finding(
            "prompts_carry_no_loss",
            "error",
            f"{pictures} image tokens have a target: set the targets of image tokens to {IGNORED}.",
        )
    elif early:
        yield Finding(
            "prompts_carry_no_loss",
            "error",
            f"In {len(early)} rows ({named(early)}) the learned tokens do not begin with the answer's: set every "
            f"target before the answer to {IGNORED}, and learn every token of the answer.",
        )


def end_is_learned(patient: Patient) -> Iterator[Finding]:
    """Every question teaches something, and where the answer ends."""
    tokenizer, check = writer(patient.model).net.tokenizer, "end_is_learned"
    silent, endless = [], []
    for row, sample in enumerate(patient.prepared.samples):
        learned = _learned(patient.lesson.targets[row])
        answer = _gold_tokens(patient, row)
        whole, open_ = (tokenizer.decode(part, skip_special_tokens=True) for part in (answer, answer[:-1]))
        if not learned:
            silent.append(sample.id)
        elif answer[-1] not in learned or _plain(whole) != _plain(open_):
            endless.append(sample.id)
    if silent:
        yield Finding(
            check, "error", f"{len(silent)} questions teach nothing ({named(silent)}): their answers were cut off."
        )
    if endless:
        yield Finding(
            check,
            "error",
            f"The end of {len(endless)} answers is not learned ({named(endless)}), so that written answers will not "
            f"stop: end the tokens of every answer with the tokenizer's end token.",
        )


def pictures_are_whole(patient: Patient) -> Iterator[Finding]:
    """No image token is cut off by a long question."""
    lesson, model = patient.lesson, writer(patient.model)
    found = ((lesson.inputs == IMAGE_TOKEN) & lesson.real).sum(1).tolist()
    told: list[int] | None = None
    if isinstance(model.net, CountsImageTokens):
        told = model.net.expected_image_tokens(patient.prepared.inputs, patient.rows)
    shown = patient.prepared.image_rows[patient.rows].tolist()
    most = {picture: max(f for f, p in zip(found, shown, strict=True) if p == picture) for picture in shown}
    expected = told if told is not None else [most[picture] for picture in shown]
    cut = [(s.id, f, e) for s, f, e in zip(patient.prepared.samples, found, expected, strict=True) if f != e]
    if cut:
        yield Finding(
            "pictures_are_whole",
            "error",
            f"{len(cut)} rows do not hold all tokens of their picture, for instance {cut[0][0]} with {cut[0][1]} of "
            f"{cut[0][2]}: do not truncate, or allow longer inputs.",
        )


def long_answers(patient: Patient) -> Iterator[Finding]:
    """Count gold answers that can never be written whole."""
    model = writer(patient.model)
    if model.answering.by == "rank":
        return
    counts: dict[str, int] = {}
    for sample in patient.training:
        counts[sample.answer] = counts.get(sample.answer, 0) + 1
    lengths = {answer: len(model.net.answer_tokens(answer)) - 1 for answer in counts}
    longer = sum(counts[answer] for answer, length in lengths.items() if length > model.answering.tokens)
    if longer:
        yield Finding(
            "answers_fit_the_limit",
            "warning",
            f"{longer} of {len(patient.training)} gold answers are longer than model.answering.tokens = "
            f"{model.answering.tokens}, the longest has {max(lengths.values())}: they are learned whole, but what is "
            f"written is cut.",
        )


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()
