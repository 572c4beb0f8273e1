"""How a model of each family is opened; one file for each family, found by its name."""
