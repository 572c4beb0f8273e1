"""The question without its picture, for models that cannot answer without one: they see the split's mean picture.

Model families have no input that says "no picture"; the mean picture is the one that tells least about a sample while
it stays near to what the model was trained on.
"""

from collections.abc import Sequence

from radvqa.probing.changes import one_picture
from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.sample import Sample


def _question_only(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return one_picture(samples, context, "mean", lambda mean: mean)


PROBE = Probe(
    title="Question only (mean picture)",
    changes="Every question is asked about the pixel mean of the split's pictures, because the model needs a picture.",
    kind="image",
    group="no picture",
    apply=_question_only,
)
