"""One file per layout; each exposes ``LAYOUT``. What the layout is and where that was read stands in its docstring."""
