"""Load on the service, to measure it: clients that check their answers, and a plain service to compare with."""
