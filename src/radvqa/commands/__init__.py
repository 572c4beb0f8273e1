"""The verbs: programs that use everything below; the command line and notebooks call the same functions."""
