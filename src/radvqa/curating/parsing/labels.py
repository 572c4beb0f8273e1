"""How replies label questions and answers, in the languages of the data sets."""

import re

QUESTION = (
    "question", "q", "frage", "pregunta", "pergunta", "domanda", "vraag", "вопрос", "질문", "question médicale",
    "问题", "問題", "问", "問", "質問", "câu hỏi", "سؤال", "प्रश्न", "soru",
)  # fmt: skip
ANSWER = (
    "answer", "ans", "a", "antwort", "respuesta", "réponse", "reponse", "resposta", "risposta", "antwoord", "ответ",
    "답변", "답", "答案", "回答", "答", "trả lời", "جواب", "الإجابة", "उत्तर", "cevap", "correct answer",
)  # fmt: skip
USER = ("user", "human", "patient", "student", "person")
ASSISTANT = ("assistant", "gpt", "model", "doctor", "radiologist", "expert")

_MARKS = r"[*_#>\-•\s]*"  # emphasis, headings, quotes, bullets before a label
_NUMBER = r"(?:\(?\d{1,3}\s*[.):\-]\s*)?"


def label(words: tuple[str, ...]) -> re.Pattern[str]:
    """Match a line that begins with one of some labels; group ``rest`` is what follows."""
    listed = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(
        rf"^{_MARKS}{_NUMBER}{_MARKS}(?P<remark>\([^)]*\)\s*)?(?:{listed})\s*\#?\s*\d{{0,3}}\s*"
        rf"(?:[*_]{{1,3}}\s*[:：.)\-–]|[:：.)][*_]{{0,3}}|[*_]{{1,3}}\s*$|\s*$)\s*(?P<rest>.*)$",
        re.IGNORECASE,
    )


ASKS = label((*QUESTION, *USER))
ANSWERS = label((*ANSWER, *ASSISTANT))
ANSWERS_IN_WORDS = label(tuple(word for word in (*ANSWER, *ASSISTANT) if word != "a"))
"""Of multiple choice, where a lone A is an option."""

OPTION = re.compile(r"^[*_\-•\s]*\(?(?P<letter>[A-Fa-f])\s*[).:：][*_]{0,2}\s*(?P<rest>\S.*)$")
NUMBERED = re.compile(r"^[*_#\-•\s]*\(?\d{1,3}\s*[.):]\s*[*_]{0,3}\s*(?P<rest>.+)$")
QUESTION_MARKS = ("?", "？", "؟")
