"""What moved a model: maps, weights of words, and their evidence, while the page waits."""
