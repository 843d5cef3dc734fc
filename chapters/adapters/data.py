"""Texts to pretrain on, and texts of other kinds to adapt to: WordNet's glosses, and for the demo Python's own manual."""

import re
from collections.abc import Sequence

import numpy as np

from lightweights.datasets.text import Text, text_from_tokens
from lightweights.datasets.tokens import learn
from lightweights.datasets.wordnet import CLASSES, Glosses, few_shots, read_glosses, split_glosses

from .minilm import LAST, word_pieces

ADAPTED_TO = ("animal", "plant")
"""Classes of glosses that the pretrained network has not seen."""

PAGES = ("compound", "dynamic-features", "exprlists", "formatstrings", "imaginary", "numeric-types", "objects", "specialnames", "typesseq")
"""Pages of Python's manual; the last ones are adapted to."""
ADAPTED_PAGES = 2


def living(length: int = 48, pairs: int = 767, pool: int = 4000, measured: int = 600, split_seed: int = 0) -> Text:
    """Noun glosses: ``train`` of all classes but animals and plants; tests ``other`` of the same, ``pool`` of animals and plants to draw
    shots from, and ``living`` of these to test on. Byte pairs are learnt from ``train`` alone.
    """
    unseen = np.array([CLASSES.index(name) for name in ADAPTED_TO])
    everything = read_glosses()
    held = np.isin(everything.labels, unseen)
    others, animals_and_plants = (everything.at(np.flatnonzero(part)) for part in (~held, held))
    train, other = split_glosses(others, measured, split_seed)
    shots, tested = split_glosses(animals_and_plants, measured, split_seed)
    drawn = np.random.default_rng(split_seed).permutation(len(shots.texts))[:pool]
    return _texts("living", train, {"other": other, "pool": shots.at(np.sort(drawn)), "living": tested}, pairs, length)


def classes(length: int = 32, each: int = 30, measured: int = 520, split_seed: int = 0) -> Text:
    """Noun glosses of all 26 classes in MiniLM's tokens: ``train`` holds ``each`` of every class, ``test`` glosses as they come. Raises
    DataError where MiniLM is not here.
    """
    pieces = word_pieces()
    pool, held = split_glosses(read_glosses(), measured, split_seed)
    kept = pool.at(np.sort(few_shots(pool.labels, each, 0, split_seed)[0]))

    def rows(part: Glosses) -> tuple[Sequence[Sequence[int]], Sequence[int]]:
        return [[*pieces.encode(text)[:-1][: length - 1], LAST] for text in part.texts], part.labels.tolist()

    return text_from_tokens("classes", pieces.vocabulary, len(CLASSES), length, rows(kept), {"test": rows(held)})


def manual(length: int = 32, pairs: int = 100, measured: int = 60) -> Text:
    """Sentences of Python's manual, which Python brings (pydoc_data): small, offline, and other with each version of Python."""
    from pydoc_data.topics import topics

    there = [page for page in PAGES if page in topics]
    kept = [(page, text) for page in there for text in re.split(r"(?<=[.:])\s+", " ".join(topics[page].split())) if 20 < len(text) < 200]
    everything = Glosses([text for _, text in kept], np.array([there.index(page) for page, _ in kept], np.int64))
    held = everything.labels >= len(there) - ADAPTED_PAGES
    others, adapted = (everything.at(np.flatnonzero(part)) for part in (~held, held))
    train, other = split_glosses(others, measured)
    shots, tested = split_glosses(adapted, measured)
    return _texts("manual", train, {"other": other, "pool": shots, "living": tested}, pairs, length)


def _texts(name: str, train: Glosses, tests: dict[str, Glosses], pairs: int, length: int) -> Text:
    tokenizer = learn(train.texts, pairs)

    def rows(part: Glosses) -> tuple[Sequence[Sequence[int]], Sequence[int]]:
        return [tokenizer.encode(text) for text in part.texts], part.labels.tolist()

    classes = 1 + max(int(part.labels.max()) for part in (train, *tests.values()))
    coded = {place: rows(part) for place, part in tests.items()}
    return text_from_tokens(name, tokenizer.vocabulary, classes, length, rows(train), coded, cut=True)
