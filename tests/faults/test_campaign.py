"""A short campaign of damaged files: nothing passes in silence, nothing ends in the words of others."""

from collections import Counter
from pathlib import Path

import pytest
from faults.campaign import campaign


@pytest.mark.whole
def test_nothing_damaged_passes_in_silence(tmp_path: Path) -> None:
    found = campaign(300, 120, seed=1, folder=tmp_path)
    for name, counts in found.items():
        assert not counts["silent"] and not counts["foreign"], (name, counts)
    assert sum(found.values(), Counter()).total() >= 100
