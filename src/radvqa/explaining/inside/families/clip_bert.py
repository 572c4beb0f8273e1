"""The image side of a CLIP beside BERT, opened."""

from radvqa.explaining.inside.towers import OpenedTowers

OPEN = OpenedTowers
