"""`lightweights studies`; `lightweights chapters`: experiments by chapter, runs asked for and there, and what the others cost."""

from collections.abc import Sequence
from pathlib import Path

from lightweights.settings.chapters import found
from lightweights.settings.study import Study
from lightweights.study.forecast import forecast
from lightweights.study.layout import RESULTS, study_settings_file
from lightweights.study.plan import is_whole, read_study, studies


def chapters_text(study: Study, results: Path = RESULTS) -> str:
    """A table: chapter, experiment, runs, done, core-hours of those to do; then the chapters that the study leaves out."""
    lines, _ = forecast(study, results)
    rows, before = [("chapter", "experiment", "runs", "done", "core-hours to do")], ""
    for line in lines:
        chapter = study.experiments[line.experiment].chapter or "-"
        hours = f"{line.seconds / 3600:.1f}" if line.to_do else "-"
        rows.append((chapter if chapter != before else "", line.experiment, str(line.asked), str(line.asked - line.to_do), hours))
        before = chapter
    asked, left = sum(line.asked for line in lines), sum(line.to_do for line in lines)
    rows.append(("all", "", str(asked), str(asked - left), f"{sum(line.seconds for line in lines) / 3600:.1f}" if left else "-"))
    text = aligned(rows)
    there = {study.experiments[line.experiment].chapter for line in lines}
    without = [name for name in found() if name not in there]
    return "\n".join([*text, *([f"not in this study: {', '.join(without)}"] if without else [])])


def studies_text(results: Path = RESULTS) -> str:
    """A table: study, runs done, title."""
    rows = [("study", "runs done", "title")]
    for name in studies(results):
        study = read_study(study_settings_file(name, results))
        runs = study.runs()
        rows.append((name, f"{sum(is_whole(run, results) for run in runs)} of {len(runs)}", study.study.title))
    return "\n".join(aligned(rows)) if len(rows) > 1 else "No study is here; `snakemake --cores N` starts that of params.yaml."


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns stand below each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
