"""Text as data: tokens with a mask, and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from lightweights.datasets.dataset import Data, DataError, as_array, labels_fault
from lightweights.datasets.form import check_form

if TYPE_CHECKING:
    from torch import Tensor

PAD = 0
"""The token that fills a row up; masked, so no model's loss and no mean ever counts it."""


@dataclass(frozen=True)
class TextSplit:
    """Texts in a fixed order: their tokens, which of these are real, and a label a text."""

    tokens: Tensor  # int32 (n, length)
    mask: Tensor  # bool (n, length), true where a token is real
    labels: Tensor  # int64 (n,)

    FORM: ClassVar[dict[str, tuple[str, str]]] = {"tokens": ("int32", "n length"), "mask": ("bool", "n length"), "labels": ("int64", "n")}

    def __len__(self) -> int:
        """Number of texts n."""
        return len(self.labels)


@dataclass(frozen=True)
class Text(Data):
    """Texts and their classes. Tokens are 0 to ``vocabulary - 1``, labels 0 to ``classes - 1``; texts of no class are all of class 0."""

    name: str
    classes: int
    vocabulary: int
    train: TextSplit
    tests: dict[str, TextSplit]

    TASK: ClassVar[str] = "text"
    PART: ClassVar[type] = TextSplit
    COUNTS: ClassVar[tuple[str, ...]] = ("classes", "vocabulary")

    @property
    def input_shape(self) -> tuple[int]:
        """(length,) of a row of tokens."""
        return (self.train.tokens.shape[1],)

    @property
    def outputs(self) -> int:
        """One logit a class."""
        return self.classes

    def fault(self, split: TextSplit) -> str:
        """Tokens outside the vocabulary, rows without a real token, real tokens behind padding, labels of no class."""
        low, high = int(split.tokens.min()), int(split.tokens.max())
        if low < 0 or high >= self.vocabulary:
            return f"tokens from {low} to {high}, expected 0 to {self.vocabulary - 1}"
        if not split.mask[:, 0].all() or (split.mask[:, 1:] > split.mask[:, :-1]).any():
            return "a mask that is not true from the first token to the text's last, and then false"
        if (split.tokens[~split.mask] != PAD).any():
            return f"tokens other than {PAD} where the mask is false"
        return labels_fault(split.labels, self.classes)


class Tokenizer(Protocol):
    """What cuts text into tokens: 1 to ``vocabulary - 1``; 0 is padding."""

    vocabulary: int

    def encode(self, text: str) -> list[int]:
        """The tokens of a text."""


Rows = tuple[Sequence[Sequence[int]], Sequence[int]]
"""Texts as rows of tokens, and their labels."""


def text_from_tokens(
    name: str, vocabulary: int, classes: int, length: int, train: Rows, tests: Mapping[str, Rows], cut: bool = False
) -> Text:
    """Texts from rows of tokens, filled up with padding to ``length``.

    Args:
        name: what the data set is called.
        vocabulary: tokens are 1 to ``vocabulary - 1``; 0 is padding.
        classes: labels are 0 to ``classes - 1``; texts of no class are all of class 0 of 1.
        length: tokens of a row.
        train: texts and their labels.
        tests: the like by name; arms are compared by the last of them.
        cut: longer texts lose what is behind ``length``; otherwise they are refused.

    Raises:
        DataError: a text without tokens or too long, tokens outside the vocabulary, labels of no class, other lengths, no split to test on.
    """
    dataset = Text(
        name,
        classes,
        vocabulary,
        _split(f"data set {name}, train", train, vocabulary, length, cut),
        {part: _split(f"data set {name}, {part}", pair, vocabulary, length, cut) for part, pair in tests.items()},
    )
    check_form(dataset)
    return dataset


def _split(where: str, pair: Rows, vocabulary: int, length: int, cut: bool) -> TextSplit:
    import torch

    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{where}: expected a pair, rows of tokens and labels")
    rows, labels = pair[0], as_array(pair[1], f"{where}: labels are not an array of numbers")
    if labels.shape != (len(rows),) or not len(rows):
        raise DataError(f"{where}: {len(rows)} texts and {labels.size} labels; expected as many of both, and at least one")
    if labels.dtype.kind not in "ui":
        raise DataError(f"{where}: labels are not all whole numbers but {labels.dtype}; number them from 0")
    tokens, mask = np.full((len(rows), length), PAD, np.int32), np.zeros((len(rows), length), bool)
    for place, row in enumerate(rows):
        if not len(row) or not all(int(token) == token and 1 <= token < vocabulary for token in row):
            raise DataError(f"{where}: text {place} has no token, or one that is not 1 to {vocabulary - 1}")
        if len(row) > length and not cut:
            raise DataError(f"{where}: text {place} has {len(row)} tokens, a row {length}; take longer rows, or have texts cut")
        kept = row[:length]
        tokens[place, : len(kept)], mask[place, : len(kept)] = kept, True
    return TextSplit(torch.from_numpy(tokens), torch.from_numpy(mask), torch.from_numpy(labels.astype(np.int64)))
