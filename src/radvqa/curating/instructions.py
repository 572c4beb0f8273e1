"""What a description answers: instructions in many words, so that a model does not learn one wording."""

from typing import Literal

Length = Literal["brief", "detailed"]

INSTRUCTIONS: dict[Length, tuple[str, ...]] = {
    "brief": (
        "What does this picture show, in one sentence?",
        "Sum up this picture briefly.",
        "Say in a few words what is to be seen.",
        "Give a short account of this picture.",
        "Put what you see into one sentence.",
        "What is the main thing in this picture?",
        "Caption this picture.",
        "In short, what is shown here?",
        "State the finding of this picture concisely.",
        "Tell me at a glance what this is.",
        "Report the essence of this picture.",
    ),
    "detailed": (
        "Describe this picture in detail.",
        "Walk me through what is to be seen here.",
        "Report everything that stands out in this picture.",
        "What kind of picture is this, and what does it show? Go into detail.",
        "Give a full account of this picture.",
        "Explain this picture to a student, part by part.",
        "List and describe the findings of this picture.",
        "Describe what you see, where it lies and what it looks like.",
        "Write the findings section for this picture.",
        "Look closely and tell me all that you can make out.",
        "Describe the picture as if I could not see it.",
        "What can be learned from this picture? Be thorough.",
        "Go through this picture systematically.",
        "Describe the anatomy and whatever is abnormal here.",
        "Give a careful and complete description.",
        "Talk me through this picture from the overview to the details.",
    ),
}
