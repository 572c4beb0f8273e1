"""Scores from predictions; knows no model and needs no torch."""
