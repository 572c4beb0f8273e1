"""Methods that only ask the model again, and so work for every model, also behind an address."""
