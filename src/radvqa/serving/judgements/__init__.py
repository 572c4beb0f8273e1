"""What readers say about answers: kept, counted, taken along."""
