"""Exploring data sets: what they hold, counted as plain values; nothing is drawn here."""
