"""What is asked: words, their vectors, a bidirectional LSTM, and the maximum over time.

Letters: ``l`` words of the question, ``e`` size of a word's vector and of the LSTM's state in each direction.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa import text
from radvqa.starter.arithmetic import sigmoid
from radvqa.starter.packing import Array, unpack

_UNKNOWN = 1
_FIRST_WORD = 2  # before it stand padding and the unknown word


class QuestionReader:
    """Turns a question into a vector.

    Args:
        tensors: packed, ``embedding`` and ``lstm`` by the names that PyTorch gives them, behind ``NAME.``.
        name: what stands before their names.
        words: that training knew, by frequency.
        normaliser: name of the normaliser that questions pass first.
        length: questions are cut to this many words.
    """

    def __init__(
        self, tensors: Mapping[str, NDArray[Any]], name: str, words: Sequence[str], normaliser: str, length: int
    ) -> None:
        self._places = {word: place for place, word in enumerate(words, start=_FIRST_WORD)}
        self._normalise, self._length = text.NORMALISERS[normaliser], length
        self._embedding = unpack(f"{name}.embedding.weight", tensors)
        self._forward = _Direction(f"{name}.lstm", "", tensors)
        self._backward = _Direction(f"{name}.lstm", "_reverse", tensors)

    def words(self, question: str) -> list[int]:
        """Return the places of a question's words in the vocabulary; an empty one is an unknown word."""
        words = text.tokens(self._normalise(question))[: self._length]
        return [self._places.get(word, _UNKNOWN) for word in words] or [_UNKNOWN]

    def __call__(self, question: str) -> Array:
        """Read a question, ``(2 e,)``."""
        vectors = self._embedding[self.words(question)]
        return np.concatenate([self._forward(vectors), self._backward(vectors[::-1])])


class _Direction:
    """An LSTM that reads one way (Hochreiter and Schmidhuber, Neural Computation 1997; with a forget gate)."""

    def __init__(self, name: str, ending: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._of_words = unpack(f"{name}.weight_ih_l0{ending}", tensors)
        self._of_state = unpack(f"{name}.weight_hh_l0{ending}", tensors)
        self._bias = sum(unpack(f"{name}.bias_{side}_l0{ending}", tensors) for side in ("ih", "hh"))

    def __call__(self, vectors: Array) -> Array:
        """The largest value of each part of the state while ``(l, e)`` is read, ``(e,)``."""
        size = self._of_state.shape[1]
        state = cell = np.zeros(size, np.float32)
        largest = np.full(size, -np.inf, np.float32)
        for given in vectors @ self._of_words.T + self._bias:
            gates = given + self._of_state @ state
            take, keep, show = sigmoid(gates[:size]), sigmoid(gates[size : 2 * size]), sigmoid(gates[3 * size :])
            cell = keep * cell + take * np.tanh(gates[2 * size : 3 * size])
            state = show * np.tanh(cell)
            largest = np.maximum(largest, state)
        return largest
