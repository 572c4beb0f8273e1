"""A convolutional net beside BERT, opened."""

from radvqa.explaining.inside.towers import OpenedTowers

OPEN = OpenedTowers
