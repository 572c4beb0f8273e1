"""Does the model answer as it learned: from the same first token, token by token the same, without the prompt?"""

from collections.abc import Iterator

import torch

from radvqa.models.classifier import AnswerClassifier
from radvqa.models.generator_net import IGNORED
from radvqa.training.doctor.finding import Finding, named
from radvqa.training.doctor.patient import Patient, writer


def starts_alike(patient: Patient) -> Iterator[Finding]:
    """The decoder has read the same token when it learns the first one and when it writes it."""
    lesson = patient.lesson
    written = patient.written(patient.few)
    wrong = []
    for row, one in zip(patient.few.tolist(), written, strict=True):
        places = (lesson.targets[row] != IGNORED).nonzero()[:, 0]
        if len(places) and (read := int(lesson.inputs[row, places[0]])) != one.begins_after:
            wrong.append((read, one.begins_after))
    if wrong:
        trained, begun = (_shown(patient, token) for token in wrong[0])
        yield Finding(
            "generation_starts_as_training",
            "error",
            f"The first token is learned after {trained} but written after {begun} ({len(wrong)} of {len(written)} "
            f"rows): let training and generation begin with the same token.",
        )


def _shown(patient: Patient, token: int) -> str:
    if token < 0:
        return "an image token"
    return f"{writer(patient.model).net.tokenizer.decode([token])!r} ({token})"


def teacher_agrees(patient: Patient) -> Iterator[Finding]:
    """Where the likeliest tokens, given the gold ones before them, are the whole answer, the same is written."""
    model, check = patient.model, "answers_as_learned"
    if isinstance(model, AnswerClassifier):
        model.module.eval()
        with torch.no_grad():
            right = int(model.loss(patient.prepared, patient.few).correct)
        classes = patient.prepared.labels[patient.few].tolist()
        same = sum(
            answer.text == model.answers.spell(label)
            for answer, label in zip(patient.answers(patient.few), classes, strict=True)
        )
        if same != right:
            yield Finding(
                check,
                "error",
                f"The loss finds {right} answers right, but {same} are given: they use different logits.",
            )
        return
    wrong = [told for told in _compared(patient) if told]
    if wrong:
        yield Finding(
            check,
            "error",
            f"Training and generation disagree on {len(wrong)} of {len(patient.few)} rows ({named(wrong, 1)}): they "
            f"must see the same prompt, picture, positions and masks.",
        )


def _compared(patient: Patient) -> Iterator[str]:
    """For each of the few rows, in which way it is written otherwise than it was taught; empty when it is not."""
    model, rows = writer(patient.model), patient.few
    model.module.eval()
    lesson = model.lesson(patient.prepared, rows)
    learned = lesson.targets != IGNORED
    with torch.no_grad():
        scores = model.net.logits(patient.prepared.inputs, rows, lesson).float().log_softmax(1)
    chosen = scores.gather(1, lesson.targets[learned][:, None])[:, 0]
    counts = learned.sum(1).tolist()
    for sample, row, one, likeliest, probabilities in zip(
        patient.samples,
        rows.tolist(),
        patient.written(rows),
        torch.split(scores.argmax(1), counts),
        torch.split(chosen, counts),
        strict=True,
    ):
        gold, told = patient.prepared.answers[row], likeliest.tolist()
        if told == gold and list(one.tokens) != gold[:-1][: model.answering.tokens]:
            yield f"{sample.id}: {_text(patient, told)!r} taught, {_text(patient, list(one.tokens))!r} written"
            continue
        taught, written = probabilities.sum().item(), one.log_probability
        same = told == gold and one.ended
        if same and abs(taught - written) > patient.tolerance * max(1.0, abs(taught)):
            yield f"{sample.id}: log-probability {taught:.4f} when taught, {written:.4f} when written"
        else:
            yield ""


def _text(patient: Patient, tokens: list[int]) -> str:
    said: str = writer(patient.model).net.tokenizer.decode(tokens, skip_special_tokens=True)
    return said


def prompt_stays_out(patient: Patient) -> Iterator[Finding]:
    """The answer does not repeat the prompt."""
    model = writer(patient.model)
    prompts = model.net.prompts(patient.prepared.inputs, patient.few)
    with_prompt = []
    for sample, prompt, answer in zip(patient.samples, prompts, patient.answers(patient.few), strict=True):
        said, gold = _plain(answer.text), _plain(sample.answer)
        for read in (_plain(prompt), _plain(sample.question)):
            if read and read in said and read not in gold:
                with_prompt.append(f"{sample.id}: {answer.text!r}")
                break
    if with_prompt:
        yield Finding(
            "prompt_not_in_answer",
            "error",
            f"{len(with_prompt)} answers hold the prompt ({named(with_prompt, 1)}): return only the tokens after it.",
        )


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()
