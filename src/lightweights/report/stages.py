"""dvc.yaml of a study: its stages with what the chapters' pages are made from."""

from pathlib import Path

from lightweights.report.chapter import chapters
from lightweights.report.said import said_by
from lightweights.settings.reading import chapters_of, load_study
from lightweights.settings.yaml_file import read_settings
from lightweights.study.stages import dvc_yaml, stages


def stages_text(params: Path) -> str:
    """Text of dvc.yaml for a params file."""
    study, given = load_study(params), read_settings(params)
    there = {run.experiment for run in study.runs()}
    mine = [chapter for chapter in chapters() if there & chapter.experiments]
    said = [path for chapter in mine for path in said_by(chapter)]
    measured = [name for chapter in mine for name, needs in chapter.data.items() if there & set(needs)]
    return dvc_yaml(stages(study, given, chapters_of(given), said, measured))
