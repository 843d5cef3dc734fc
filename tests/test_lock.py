"""The lock file pins each package by version and by digests, and says nothing of where its packages came from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
ENTRIES = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^#.*\n", "", LOCK)) if entry.strip()]


def test_every_package_is_pinned_by_version_and_digests() -> None:
    assert len(ENTRIES) > 150
    for entry in ENTRIES:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n?", entry), entry
    names = [re.sub(r"[._-]+", "-", entry.split("==")[0]).lower() for entry in ENTRIES]
    assert len(set(names)) == len(names) and not {"torch", "triton", "pip", "lightweights"} & set(names)


@pytest.mark.parametrize("word", ["://", "--index", "--find-links", "--trusted", "file:", "@"])
def test_it_names_no_place(word: str) -> None:
    assert word not in LOCK


def test_installation_asks_for_the_digests_and_torch_is_constrained_without_them() -> None:
    makefile = (ROOT / "Makefile").read_text()
    installs = [line for line in makefile.splitlines() if "-r requirements.lock" in line]
    assert len(installs) == 2 and all("--no-deps --require-hashes" in line for line in installs)
    pattern = re.search(r"sed -nE 's/(.*?)/\\1/p' requirements\.lock", makefile)
    assert pattern is not None
    versions = [match[1] for line in LOCK.splitlines() if (match := re.match(pattern[1], line))]
    assert len(versions) == len(ENTRIES) and not any("hash" in version or "\\" in version for version in versions)
