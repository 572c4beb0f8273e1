"""Data in: what a data set offers, safe decoding, and images decoded once."""
