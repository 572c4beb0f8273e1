"""Showing what ``radvqa diagnose`` found: tables, a page with pictures and maps, and the sheet for experts."""
