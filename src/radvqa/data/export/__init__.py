"""Pass a data set on in forms that other tools read, with nothing lost on the way."""
