"""Many runs of one recipe: a grid of values, runs spread over processes and machines, and an honest choice."""
