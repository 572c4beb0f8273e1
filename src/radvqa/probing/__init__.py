"""Does a model look at the picture and read the question: both are changed, and the answers are watched."""
