"""From captions to questions that may be trained on: write, filter, review, mix; and the proof of what is in it."""
