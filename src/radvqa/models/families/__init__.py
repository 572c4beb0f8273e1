"""One file per model family; the file's name is the family's name, and ``FAMILY`` is the family."""
