"""Where the numbers of a training run go while it runs: its own log, and the trackers that people watch."""
