"""One file per data set; the file's name is the data set's name, and ``DATA_SET`` is the data set."""
