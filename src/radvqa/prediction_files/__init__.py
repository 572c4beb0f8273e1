"""Predictions that were made elsewhere: files in several layouts become predictions that can be scored."""

from radvqa.prediction_files.reading import ReadFile, read

__all__ = ["ReadFile", "read"]
