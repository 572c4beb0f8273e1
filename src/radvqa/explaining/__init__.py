"""Where did it look, and is that to be believed: maps over the picture, and the evidence for each."""
