"""What keeps a pair out of a training set: one rule one function, each with a name that tables and cards show."""
