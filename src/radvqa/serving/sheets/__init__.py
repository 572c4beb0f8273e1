"""Review sheets of ``radvqa diagnose``, worked through on the page."""
