"""Models opened for one picture and one question: what they read, what they say, and what their attention mixes."""
