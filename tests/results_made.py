"""Results of made-up runs, with the claims of all chapters and their judges."""

from dataclasses import fields
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


class MadeUp(Results):
    """Runs that have no files: their histories stand still at the values of runs.csv."""

    def history(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Three rounds (or epochs) of the same values."""
        if (self.folder / "runs").is_dir():
            return super().history(runs)
        kept = [name for name in runs if name.endswith(("_percent", "_entropy", "_error")) and not name.startswith(("last10_", "photons_"))]
        sets = ["train", *(name.removesuffix("_accuracy_percent") for name in kept if name.endswith("_accuracy_percent"))]
        losses = {f"{name}_cross_entropy": 0.1 if name == "train" else 0.2 for name in sets if f"{name}_cross_entropy" not in kept}
        rows = runs[["experiment", "variant", "seed", *kept]].assign(**losses)
        return pd.concat([rows.assign(round=number, epoch=number) for number in (1, 2, 3)]).sort_index(kind="stable").reset_index(drop=True)


def made(runs: pd.DataFrame, study: Study | None = None, root: Path = Path("results")) -> Results:
    """What tables, figures, judges and facts take."""
    study = study or small_study()
    found = results_of(with_settings(runs, study), study, root)
    return MadeUp(**{field.name: getattr(found, field.name) for field in fields(found)})


def page_of(chapter: str, results: Results) -> str:
    """The page of a chapter."""
    return chapter_page(CHAPTERS[chapter], results)
