"""One file per kind of metric; each exposes ``METRICS``, name → metric."""
