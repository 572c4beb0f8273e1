"""What a language model replied, read as pairs of question and answer, however it is wrapped."""
