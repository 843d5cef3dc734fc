"""What stands behind a table or figure: the command that draws it again, the runs, and digests of runs and code."""

import hashlib
import json
from typing import Any, Literal

from lightweights import __version__
from lightweights.report.chapter import chapter_of
from lightweights.report.experiments import chapters_for
from lightweights.report.results import Results
from lightweights.study.csv_text import to_csv
from lightweights.study.layout import key_of_row, study_settings_file

Kind = Literal["tables", "figures"]


def behind(kind: Kind, name: str, results: Results) -> dict[str, Any]:
    """All of it; the same as long as runs, settings and code are. The digest is over the rows of the runs with all their settings."""
    chapter = chapter_of(kind, name, chapters_for(results.study))
    item = getattr(chapter, kind)[name]
    runs = results.of(*item.needs) if item.needs else results.runs
    code = hashlib.sha256()
    for path in sorted(chapter.folder.glob("*.py")):
        code.update(f"{path.name}\n".encode() + path.read_bytes())
    return {
        "shows": item.shows,
        "command": f"lightweights draw {study_settings_file(results.study.study.name).as_posix()} {kind}/{name}",
        "chapter": chapter.name,
        "version": __version__,
        "code_sha256": code.hexdigest(),
        "reads": list(item.reads),
        "runs_sha256": hashlib.sha256(to_csv(runs).encode()).hexdigest(),
        "commits": {str(commit): int(count) for commit, count in runs.commit.value_counts(sort=False).sort_index().items()},
        "runs": [key_of_row(run) for run in runs.itertuples()],
    }


def behind_json(kind: Kind, name: str, results: Results) -> str:
    """The same as the text of a file that lies beside it."""
    return json.dumps(behind(kind, name, results), indent=1) + "\n"
