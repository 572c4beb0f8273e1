"""Every rule that looks at one pair, by name, in the order in which they are tried."""

from radvqa.curating.rules.answerable import no_answer, not_in_picture
from radvqa.curating.rules.contradiction import contradicts
from radvqa.curating.rules.form import leans, wrong_form
from radvqa.curating.rules.private import dates, history, identifiers, measures
from radvqa.curating.rules.rule import Rule
from radvqa.curating.rules.source import speaks_of_source
from radvqa.curating.rules.wording import echo, given_away

RULES: dict[str, Rule] = {
    "form": Rule("The form is wrong: cut off, too long, no question, or not answered as asked.", wrong_form),
    "leans": Rule("The question cannot be understood without another one.", leans),
    "no-answer": Rule("The answer says that there is none.", no_answer),
    "not-in-picture": Rule("The question asks for what no picture shows.", not_in_picture),
    "source": Rule("It speaks of the text that it was made from.", speaks_of_source),
    "given-away": Rule("The question gives its answer away.", given_away),
    "echo": Rule("The answer repeats the question.", echo),
    "measures": Rule("Numbers and measurements.", measures),
    "history": Rule("The patient's age, sex, history, treatment or course.", history),
    "dates": Rule("Dates.", dates),
    "identifiers": Rule("Names, numbers of figures, cases and papers.", identifiers),
    "contradicts": Rule("It contradicts the modality or plane that the data set names.", contradicts),
}
