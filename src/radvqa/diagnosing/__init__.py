"""Where a model fails, how sure that is, and whether it is right for the right reason."""
