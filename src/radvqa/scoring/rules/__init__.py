"""One file per published rule; the file's name is the rule's name, and ``RULE`` is the rule."""
