"""How far a study is: runs that are done, under way and to do."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from lightweights.settings.runs import Run
from lightweights.study.layout import RESULTS, checkpoint_folder, study_settings_file
from lightweights.study.plan import is_whole, read_study


def progress_of(name: str, results: Path = RESULTS) -> str:
    """Runs done, under way and to do, with an estimate of the time left from the pace of the runs themselves."""
    study = read_study(study_settings_file(name, results))
    lines, seconds, done = [], 0.0, 0
    for run in study.runs():
        if is_whole(run, results):
            done += 1
            continue
        total = run.settings.steps
        trained, took = _checkpointed(run, results)
        if trained:
            left = took / trained * (total - trained)
            seconds += left
            lines.append(f"{run.key}: {trained} of {total}, {left / 60:.0f} minutes left")
        else:
            lines.append(f"{run.key}: to do")
    head = f"{done} of {len(study.runs())} runs done"
    return "\n".join([head + (f"; the runs under way need {seconds / 60:.0f} minutes of one core" if seconds else ""), *lines])


def _checkpointed(run: Run, results: Path) -> tuple[int, float]:
    """Rounds or epochs in a run's checkpoint, and the seconds they took; none where there is no checkpoint that can be read."""
    path = checkpoint_folder(run, results) / "state.safetensors"
    try:
        with safe_open(path, framework="numpy") as file:
            rows = json.loads(file.metadata()["rows"])
        return len(rows), float(rows[-1]["seconds"])
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, OverflowError, RecursionError):
        return 0, 0.0
