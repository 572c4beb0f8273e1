"""Get the files of a public source: resumed, checked, unpacked safely, and there only when all are."""
