"""Leaks: pictures and questions that two splits share, and splits without them."""
