"""Files appear whole or not at all."""

import resource
from pathlib import Path

import pytest

from lightweights.report.html import to_html
from lightweights.study.files import WriteError, write_atomic, write_if_changed


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    write_atomic(file, "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(WriteError, match=r"metrics.json \(1,000,000 bytes\) cannot be written: File too large"):
            write_atomic(file, b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_an_unchanged_file_keeps_its_time_stamp(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "settings.json"
    assert write_if_changed(file, "{}")
    stamp = file.stat().st_mtime_ns
    assert not write_if_changed(file, "{}") and file.stat().st_mtime_ns == stamp
    assert write_if_changed(file, "[]") and file.read_text() == "[]"


def test_a_page_holds_its_table_and_asks_for_nothing_from_elsewhere() -> None:
    page = to_html("Some *words*\n\n| a | b |\n|---|---|\n| 1 | <script>x</script> |\n", "A & B")
    assert "<th>a</th>" in page and "<em>words</em>" in page and "<title>A &amp; B</title>" in page
    assert "<script" not in page and "http" not in page and "src=" not in page
