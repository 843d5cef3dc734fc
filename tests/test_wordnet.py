"""WordNet's glosses: read whole or not at all, split by seed, and cut into tokens that give the text back."""

import gzip
import hashlib
import io
import itertools
import os
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweights.datasets import DataError, digest, load, wordnet
from lightweights.datasets.catalogue import WORDNET_NOUNS, RawFile
from lightweights.datasets.tokens import BYTES, BytePairs, learn
from lightweights.settings.dataset import DatasetSection

LICENCE = "  1 This software and database is being provided to you, the LICENSEE, by  \n"
COUNT = 26 * 4


def nouns() -> bytes:
    """Four synsets of each class; the last two of a class have the same gloss."""
    lines = [LICENCE]
    for number in range(COUNT):
        told = f'gloss {min(number // 26, 2)} of file {number % 26 + 3}; "as | in this"'
        lines.append(f"{number:08d} {number % 26 + 3:02d} n 01 word_{number} 0 001 @ 00001930 n 0000 | {told}  \n")
    return "".join(lines).encode()


def package(content: bytes, where: str = "./usr/share/wordnet/data.noun") -> bytes:
    """A package of Debian's with that noun file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as tar:
        for name, data in (("./usr/share/doc/copyright", b"free"), (where, content)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    archive = b"!<arch>\n"
    for name, data in (("debian-binary", b"2.0"), ("data.tar.xz", stream.getvalue())):
        archive += f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return archive


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The small noun file in place of the published one, in a data folder as a package and packed."""
    content, folder = nouns(), tmp_path / "data/wordnet"
    folder.mkdir(parents=True)
    for name, data in (("data.noun.gz", gzip.compress(content)), ("wordnet-base_3.0-37_all.deb", package(content))):
        (folder / name).write_bytes(data)
    sizes = {file.name: (file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()) for file in folder.iterdir()}
    monkeypatch.setattr(wordnet, "WORDNET_NOUNS", RawFile("wordnet/data.noun.gz", *sizes["data.noun.gz"]))
    monkeypatch.setattr(wordnet, "WORDNET_PACKAGE", RawFile("wordnet/wordnet-base_3.0-37_all.deb", *sizes["wordnet-base_3.0-37_all.deb"]))
    monkeypatch.setattr(wordnet, "WORDNET_NOUNS_SIZE", len(content))
    monkeypatch.setattr(wordnet, "WORDNET_NOUNS_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(wordnet, "SYNSETS", COUNT)
    monkeypatch.setenv("LIGHTWEIGHTS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LIGHTWEIGHTS_CACHE", str(tmp_path / "cache"))
    return folder


def test_glosses_and_their_classes_are_read_in_order(small: Path) -> None:
    found = wordnet.read_glosses()
    assert found.labels.tolist() == [number % 26 for number in range(COUNT)]
    assert found.texts[0] == 'gloss 0 of file 3; "as | in this"' and len(wordnet.CLASSES) == 26


def test_the_package_gives_the_same_glosses(small: Path) -> None:
    packed = wordnet.read_glosses()
    (small / "data.noun.gz").unlink()
    assert wordnet.read_glosses().texts == packed.texts


def test_without_a_file_the_error_says_what_the_folder_needs(small: Path) -> None:
    for file in small.iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"to a folder that holds wordnet/data\.noun\.gz or wordnet/wordnet-base_3\.0-37_all\.deb"):
        wordnet.read_glosses()


def test_another_noun_file_is_refused(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordnet, "WORDNET_NOUNS_SHA256", "0" * 64)
    with pytest.raises(DataError, match=r"expected SHA-256 0{64} unpacked, found"):
        wordnet.read_glosses()


@pytest.mark.parametrize(
    "content",
    [
        nouns().replace(b" n 01", b" v 01", 1),
        nouns().replace(b"00000001 04", b"00000001 29"),
        nouns().replace(b" | gloss", b" gloss", 1).replace(b"as | in", b"as in", 1),
        nouns()[:-1000],
        nouns() + nouns().splitlines(keepends=True)[-1],
        nouns().replace(b"gloss", b"gl\xf6ss", 1),
        b"",
    ],
)
def test_a_noun_file_with_a_line_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="get it anew"):
        wordnet.parse_glosses(content, COUNT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"!<arch>\n",
        package(b"x" * 9)[:-20],
        package(b"x" * 9)[8:],
        package(b"x" * 8),
        package(b"x" * 9, "./usr/share/wordnet/data.verb"),
    ],
)
def test_a_package_that_is_none_is_refused(content: bytes) -> None:
    assert wordnet.read_package(package(b"x" * 9), 9) == b"x" * 9
    with pytest.raises(DataError, match="get it anew"):
        wordnet.read_package(content, 9)


def test_no_gloss_to_learn_from_has_the_words_of_one_to_test_on(small: Path) -> None:
    everything = wordnet.read_glosses()
    pool, held = wordnet.split_glosses(everything, 20, 1)
    assert len(held.texts) == 20 and not set(pool.texts) & set(held.texts)
    assert Counter(pool.texts) + Counter(held.texts) <= Counter(everything.texts)
    assert wordnet.split_glosses(everything, 20, 1)[1].texts == held.texts
    assert wordnet.split_glosses(everything, 20, 2)[1].texts != held.texts
    for wrong in (0, COUNT):
        with pytest.raises(DataError, match=f"test = {wrong} glosses to hold out"):
            wordnet.split_glosses(everything, wrong)


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_few_shots_are_as_many_of_each_class_and_apart(shots: int, validation: int, seed: int) -> None:
    labels = np.random.default_rng(7).permutation(np.arange(40) % 5)
    train, held = wordnet.few_shots(labels, shots, validation, seed)
    assert Counter(labels[train]) == Counter(dict.fromkeys(range(5), shots)) or not shots
    assert Counter(labels[held]) == Counter(dict.fromkeys(range(5), validation)) or not validation
    assert len(set(train) | set(held)) == len(train) + len(held) == 5 * (shots + validation)
    assert np.array_equal(wordnet.few_shots(labels, shots, validation, seed)[0], train)
    with pytest.raises(DataError, match="class 0 has 8 examples; 9 to train on"):
        wordnet.few_shots(labels, 9, 0, seed)


def test_settings_name_the_glosses(small: Path) -> None:
    arguments = {"length": 8, "pairs": 20, "shots": 1, "validation": 1, "test": 8}
    found = load(DatasetSection(name="lightweights.datasets.wordnet:glosses", arguments=arguments))
    assert (found.TASK, found.input_shape, found.outputs, found.vocabulary) == ("text", (8,), 26, BYTES + 20)
    assert {name: len(part) for name, part in {"train": found.train, **found.tests}.items()} == {"train": 26, "validation": 26, "test": 8}
    assert digest(found) == digest(wordnet.glosses(**arguments)) != digest(wordnet.glosses(**arguments, seed=1))
    everything = wordnet.glosses(**arguments | {"shots": 0})
    assert len(everything.train) > 26 and everything.train.labels.unique().tolist() == list(range(26))


@pytest.mark.slow
def test_the_published_file_has_the_synsets_that_its_documentation_counts() -> None:
    folder = os.environ.get("LIGHTWEIGHTS_DATA")
    if not folder or not (Path(folder) / WORDNET_NOUNS.path).is_file():
        pytest.skip("needs wordnet/data.noun.gz in LIGHTWEIGHTS_DATA")
    counts = Counter(wordnet.CLASSES[label] for label in wordnet.read_glosses().labels)
    assert (sum(counts.values()), counts["artifact"], counts["person"], counts["plant"]) == (82115, 11587, 11087, 8030)
    assert (counts["motive"], counts["tops"], counts["shape"]) == (42, 51, 341)


# Tokens


def slow_pairs(texts: list[str], count: int) -> list[tuple[int, int]]:
    """Pairs as the algorithm is told: count all, join the most frequent everywhere, again."""
    words = []
    for text in texts:
        current = ""
        for letter in text:
            if letter == " " and current.strip(" "):
                words.append(current)
                current = ""
            current += letter
        words.append(current)
    pieces, found = [[byte + 1 for byte in word.encode()] for word in words], []
    while len(found) < count:
        counts = Counter(pair for piece in pieces for pair in itertools.pairwise(piece))
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < 2:
            break
        for piece in pieces:
            place = 0
            while place < len(piece) - 1:
                if (piece[place], piece[place + 1]) == best:
                    piece[place : place + 2] = [257 + len(found)]
                place += 1
        found.append(best)
    return found


@given(st.lists(st.text("ab c", max_size=12).map(lambda text: " ".join(text.split())), max_size=6))
def test_pairs_are_learnt_as_the_slow_algorithm_learns_them(texts: list[str]) -> None:
    learnt = learn(texts, 8)
    assert list(learnt.pairs) == slow_pairs(texts, 8)


@given(st.lists(st.text(max_size=20), max_size=4), st.text(max_size=30))
def test_any_text_comes_back_from_its_tokens(texts: list[str], text: str) -> None:
    for tokenizer in (BytePairs(), learn([*texts, text], 10)):
        tokens = tokenizer.encode(text)
        assert tokenizer.decode([*tokens, 0, 0]) == text
        assert all(1 <= token < tokenizer.vocabulary for token in tokens)


def test_learnt_pairs_shorten_text_and_never_reach_across_words() -> None:
    tokenizer = learn(["low lower lowest low low"], 6)
    assert tokenizer.decode([BYTES]) == "lo" and tokenizer.decode([BYTES + 1]) == "low" and tokenizer.decode([BYTES + 2]) == " low"
    assert len(tokenizer.encode("low low")) == 2 and len(BytePairs().encode("low low")) == 7
