"""The starter model: small, ready with the package, and answering with NumPy and Pillow alone."""
