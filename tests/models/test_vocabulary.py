"""Words and answers are counted on training samples only, in the seed's order."""

from dataclasses import asdict

import pytest

from radvqa.data import registry
from radvqa.models.vocabulary import UNKNOWN_ANSWER, AnswerVocabulary, WordVocabulary


def test_words_are_ordered_by_count_then_first_appearance() -> None:
    words = WordVocabulary.count(["Is it left?", "it is right", "right"], "seed000", 4)
    assert words.words == ("is", "it", "right", "left")
    assert len(words) == 6


def test_questions_become_indices_padded_cut_and_unknown() -> None:
    words = WordVocabulary(("is", "it"), "seed000", 3)
    encoded = words.encode(["It IS!", "is it it is", "what is", "", "?!"])
    assert encoded.tolist() == [[3, 2, 0], [2, 3, 3], [1, 2, 0], [1, 0, 0], [1, 0, 0]]


def test_answers_are_normalised_and_spelled_as_most_published() -> None:
    answers = AnswerVocabulary.count(["X-Ray", "yes", "xray", "X-Ray", "Yes"], "seed000")
    assert (answers.answers, answers.spellings) == (("xray", "yes"), ("X-Ray", "yes"))
    assert len(answers) == 3
    assert answers.encode(["XRAY", "YES.", "no"]).tolist() == [0, 1, 2]
    assert [answers.spell(k) for k in range(3)] == ["X-Ray", "yes", UNKNOWN_ANSWER]
    assert answers.knows("x-ray!")
    assert not answers.knows("no")


def test_vocabularies_survive_being_written() -> None:
    words = WordVocabulary.count(["is it"], "seed000", 4)
    answers = AnswerVocabulary.count(["yes"], "seed000")
    assert WordVocabulary.from_plain(asdict(words)) == words
    assert AnswerVocabulary.from_plain(asdict(answers)) == answers


@pytest.mark.real_data
def test_slake_has_the_seeds_vocabularies() -> None:
    train = registry.load_split("slake:en", "train")
    words = WordVocabulary.count([s.question for s in train], "seed000", 32)
    answers = AnswerVocabulary.count([s.answer for s in train], "seed000")
    assert (len(words.words), len(words)) == (290, 292)
    assert (len(answers.answers), len(answers)) == (220, 221)
