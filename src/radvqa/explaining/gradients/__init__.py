"""Methods that differentiate the answer's probability."""
