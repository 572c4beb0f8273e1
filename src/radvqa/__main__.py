"""``python -m radvqa``."""

from radvqa.cli import main

main()
