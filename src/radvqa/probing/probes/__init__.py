"""One probe per file: ``blank.py`` is what the name ``blank`` means."""
