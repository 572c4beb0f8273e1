"""Runs as the page shows them: listed, told of, compared, watched while they train."""
