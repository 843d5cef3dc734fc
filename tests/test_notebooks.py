"""The notebooks run from top to bottom, by themselves, and hold what their code printed."""

import contextlib
import io
import json
from pathlib import Path

import pytest
from houses import ROOT

pytestmark = pytest.mark.whole

BOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def run(book: Path) -> list[tuple[str, str]]:
    """What each cell of code prints, and what the notebook has of it."""
    space: dict[str, object] = {"__name__": "__main__"}
    found = []
    for cell in json.loads(book.read_text())["cells"]:
        if cell["cell_type"] == "code":
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile("".join(cell["source"]), book.name, "exec"), space)
            found.append((said.getvalue(), "".join("".join(output["text"]) for output in cell["outputs"])))
    return found


def test_there_are_two():
    assert [book.stem for book in BOOKS] == ["library", "study"]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_notebook_runs_and_prints_as_many_lines_as_it_shows(book: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    for said, shown in run(book):
        assert bool(said) == bool(shown)
        assert said.count("\n") == shown.count("\n") or "verdict" in shown or "bond_dim" in shown  # counts of a study that grows


def test_the_library_learns_in_its_notebook(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    shares = [float(line.split()[0]) for said, _ in run(BOOKS[0]) for line in said.splitlines() if line.endswith("% right")]
    assert max(shares) > 75
