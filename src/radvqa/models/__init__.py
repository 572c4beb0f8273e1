"""Model families, the towers that they stand on, and the features that are computed once."""
