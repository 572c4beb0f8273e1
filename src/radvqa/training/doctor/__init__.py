"""The examination before every training: that the model learns what it should, and answers as it learned."""
