"""A language model as judge of answers, next to the metrics and never instead of them."""
