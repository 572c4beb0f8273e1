"""Tables, figures and pages from run folders; needs no torch."""
