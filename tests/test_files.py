"""Files appear whole or not at all."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from lightweights.files import WriteError, remove_leftovers, write_atomic, write_if_changed
from lightweights.report.html import to_html


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


def test_a_loss_of_power_takes_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are on the disk before the name, and the name before the call returns."""
    done: list[tuple[str, object]] = []
    sync, rename = os.fsync, Path.replace

    def synced(handle: int) -> None:
        sync(handle)
        entry = Path(f"/proc/self/fd/{handle}").resolve()
        done.append(("folder" if entry.is_dir() else "file", entry.name if entry.is_dir() else entry.read_bytes()))

    def renamed(path: Path, target: Path) -> Path:
        done.append(("rename", target.name))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_atomic(tmp_path / "metrics.json", "{}")
    assert done == [("file", b"{}"), ("rename", "metrics.json"), ("folder", tmp_path.name)]
    done.clear()
    write_if_changed(tmp_path / "settings.json", "{}")  # made again where it is lost
    assert done == [("rename", "settings.json")]


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def files_only(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").resolve().is_dir():
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    write_atomic(tmp_path / "a", "b")
    assert (tmp_path / "a").read_text() == "b"


def test_what_killed_writes_leave_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, signal, pathlib\nfrom lightweights.files import write_atomic\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "for name in ('metrics.json', 'state[1].safetensors'):\n"
        "    if not os.fork():\n"
        "        write_atomic(pathlib.Path(name), 'half')\n"
        "    os.wait()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    others = [
        tmp_path / name for name in (".metrics.json", ".metrics.json.part", ".metrics.jsonl.abcdefgh.part", "metrics.json.abcdefgh.part")
    ]
    for file in others:
        file.touch()
    files = tmp_path / "metrics.json", tmp_path / "state[1].safetensors"
    assert len(list(tmp_path.iterdir())) == len(others) + 2 and not any(file.exists() for file in files)
    assert remove_leftovers(*files, tmp_path / "absent/history.csv") == 2
    assert sorted(tmp_path.iterdir()) == sorted(others)
    assert remove_leftovers(*files) == 0


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
