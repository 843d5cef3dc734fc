"""Results of made-up runs, with the claims of all chapters and their judges."""

from pathlib import Path

import pandas as pd
from synthetic import small_study

from lightweights.report.chapter import chapters
from lightweights.report.claims import claims_of
from lightweights.report.make import results_of
from lightweights.report.results import Results, with_settings
from lightweights.report.words import chapter_page
from lightweights.settings.study import Study

CHAPTERS = {chapter.name: chapter for chapter in chapters()}
CLAIMS = claims_of(chapters())


def made(runs: pd.DataFrame, study: Study | None = None, root: Path = Path("results")) -> Results:
    """What tables, figures, judges and facts take."""
    study = study or small_study()
    return results_of(with_settings(runs, study), study, root)


def page_of(chapter: str, results: Results) -> str:
    """The page of a chapter."""
    return chapter_page(CHAPTERS[chapter], results)
