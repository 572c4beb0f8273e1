"""The page of results: which runs it shows is said in a YAML file, and every number comes from a run folder."""
