"""One file per format; its name is the format's name."""
