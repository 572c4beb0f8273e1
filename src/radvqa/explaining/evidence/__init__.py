"""Whether a map is to be believed: against the truth, against the model itself, against chance."""
