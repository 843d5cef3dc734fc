"""The table of faults in docs/faults.md: each test that tried a fault says here what it saw."""

import json
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"
HEAD = """\
# Faults: what was tried, and what happened

Each row is a test that brings the fault about on a small study and restarts it as the row says. What the second column shows as code was
said word for word, `...` aside. The final `runs.csv` equals that of an undisturbed study bit for bit, wall times aside; in the rows on DVC
it is the files themselves that are compared. Made by `make faults` from the tests in `tests/faults` and `tests/slurm` and from
`tests/test_verify.py`.

Besides, `python tests/faults/campaign.py --count 15000` damages files at random: a bit, some bytes, a stretch lost, doubled, zeroed or
moved, the end cut off. Of 1,000 each of prepared images, images of one's own, series and texts, own NPZ and CSV files (with
`dataset.sha256` stated), gzip and xz archives, checkpoints, logs of jobs, answers of a platform, and of a landed run its metrics.json
(but for the provenance that it tells), history, model and row in runs.csv, as `lightweights verify` reads them without any record of DVC's,
0 of 15,000 passed in silence and 0 ended in an error that is not ours: 13,636 were refused, of 687 nothing wrong was taken and the rest
asked for anew, and 677 held what had been written.

| fault | what is said | how the study goes on |
|---|---|---|
"""


def fault(what: str, answer: str, goes_on: str, *, said: str = "") -> None:
    """Record a fault that the calling test has just seen survived, where LIGHTWEIGHTS_FAULTS names a folder for that. All that ``answer``
    quotes between backticks must stand in ``said``.
    """
    for quoted in re.findall("`(.*?)`", answer):
        for part in quoted.split("..."):
            assert part.strip() in said, f"not said: {part!r}, but\n{said}"
    folder = os.environ.get("LIGHTWEIGHTS_FAULTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{what.replace(' ', '-').replace('/', '-')}.json").write_text(json.dumps([what, answer, goes_on]))


def rows_of(document: Path = DOCUMENT) -> list[list[str]]:
    """The rows of the document: fault, what is said, how the study goes on."""
    lines = document.read_text().removeprefix(HEAD).splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]


def write(folder: Path, document: Path = DOCUMENT) -> None:
    """Write the document from what the tests recorded; rows of faults that were not tried this time stay."""
    rows = {row[0]: row for row in rows_of(document)} if document.exists() else {}
    rows |= {row[0]: row for row in (json.loads(file.read_text()) for file in folder.glob("*.json"))}
    document.write_text(HEAD + "".join(f"| {' | '.join(row)} |\n" for _, row in sorted(rows.items())))


if __name__ == "__main__":
    write(Path(os.environ["LIGHTWEIGHTS_FAULTS"]))
