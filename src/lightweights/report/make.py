"""From finished runs to paper: the steps that read and write files of a study's folder."""

import json
import traceback
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lightweights.errors import LightweightsError
from lightweights.files import write_atomic
from lightweights.report.behind import behind_json
from lightweights.report.chapter import chapter_of, chapters
from lightweights.report.claims import claims_of
from lightweights.report.contradictions import contradiction_rows, contradictions_markdown, contradictions_of
from lightweights.report.experiments import PREFIX, Experiments, chapters_for, speaking
from lightweights.report.html import to_html
from lightweights.report.results import Results, with_settings
from lightweights.report.scorecard import OWN, scorecard, scorecard_markdown
from lightweights.report.table import Table, markdown, table_files, to_markdown
from lightweights.settings.base import SettingsError
from lightweights.settings.own_code import said
from lightweights.study.collect import collect, read_runs, reported_test_sets, write_runs
from lightweights.study.csv_text import computed_csv
from lightweights.study.layout import RESULTS, study_folder, study_settings_file
from lightweights.study.plan import read_study


class DrawError(LightweightsError):
    """Parts of a summary that could not be made; names each with the reason. All others were written."""


def collect_study(path: Path, partial: bool) -> pd.DataFrame:
    """Write runs.csv, and means.json: the means over seeds by experiment and variant, for `dvc metrics diff`."""
    study = read_study(path)
    runs = collect(study, RESULTS, partial)
    folder = study_folder(study.study.name)
    write_atomic(folder / "means.json", json.dumps(means_by_variant(runs), indent=2) + "\n")
    write_runs(runs, folder / "runs.csv")
    return runs


def means_by_variant(runs: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Experiment, variant, measure: the mean over seeds, and n."""
    means: dict[str, dict[str, dict[str, float]]] = {}
    for (experiment, variant), part in runs.groupby(["experiment", "variant"], sort=False):
        wanted = ["train_accuracy_percent"]
        wanted += [f"{name}_{measure}" for name in reported_test_sets(part) for measure in ("accuracy_percent", "generalisation_error")]
        found = part[[name for name in wanted if name in part]].mean().dropna()
        means.setdefault(experiment, {})[variant] = found.round(6).to_dict() | {"n": len(part)}
    return means


def read_results(path: Path) -> Results:
    """The results of the study of a study.json. Raises SettingsError where its runs were not collected."""
    study = read_study(path)
    runs = study_folder(study.study.name) / "runs.csv"
    if not runs.is_file():
        raise SettingsError(f"{runs}: no such file; `lightweights collect {path}` makes it")
    return results_of(with_settings(read_runs(runs), study), study)


def results_of(runs: pd.DataFrame, study, root: Path = RESULTS) -> Results:
    """Results of runs that are there, judged by the claims of all chapters."""
    return Results(study, runs, claims_of(chapters()), scorecard, root)


def draw(path: Path, names: Iterable[str]) -> None:
    """Make parts of a study's summary by name: ``tables/NAME``, ``figures/NAME``, ``scorecard``, ``RESULTS``, the name of a chapter for its
    page, or a file that a chapter measures without runs, ``laws.csv``.

    One that fails leaves the others. Raises DrawError naming those that did.
    """
    names, failed = list(names), []
    measured = {name for chapter in chapters() for name in chapter.data}
    results = None
    for name in sorted(names, key=lambda name: name not in measured):  # others may read what is measured
        try:
            if name in measured:
                measure(path, name)
                continue
            results = results or read_results(path)
            _draw(name, results)
        except (Exception, SystemExit) as error:
            if not isinstance(error, LightweightsError):
                traceback.print_exc()
            failed.append(f"{name}: {said(error)}")
    if failed:
        raise DrawError(f"{len(failed)} of {len(names)} could not be made: {'; '.join(failed)}")


def measure(path: Path, name: str) -> None:
    """Write a file that a chapter measures without runs."""
    study, chapter = read_study(path), chapter_of("data", name)
    write_atomic(study_folder(study.study.name) / name, computed_csv(chapter.function(Path(name).stem, "measure")(study)))


def _draw(name: str, results: Results) -> None:
    kind, _, item = name.rpartition("/")
    if kind == "figures":
        write_figure(item, results)
    else:
        write_texts(name, results)


def write_texts(name: str, results: Results) -> None:
    """Write the files of a table, of the scorecard, or of a page."""
    for path, text in texts(name, results).items():
        write_atomic(results.folder / path, text)


def texts(name: str, results: Results) -> dict[str, str]:
    """The text of each file of ``tables/NAME``, of the scorecard, or of a page, by its path in the study's folder."""
    kind, _, item = name.rpartition("/")
    if kind == "tables":
        return table_texts(item, results)
    if name == "scorecard":
        return scorecard_texts(results)
    return front_text(results) if name == "RESULTS" else page_text(name, results)


def table_texts(name: str, results: Results) -> dict[str, str]:
    """One table: CSV, Markdown, LaTeX and HTML, and what stands behind it."""
    table = chapter_of("tables", name, chapters_for(results.study)).function("tables", name)(results)
    if table is None:
        raise SettingsError(f"table {name}: study {results.study.study.name} has no runs of that experiment")
    found = {f"tables/{name}.{ending}": text for ending, text in table_files(table).items()}
    title = f"{results.study.study.title}: {name}"
    return found | {f"tables/{name}.json": behind_json("tables", name, results), f"tables/{name}.html": to_html(to_markdown(table), title)}


def write_figure(name: str, results: Results) -> None:
    """Write one figure: PDF and SVG as wide as it is, PNG for narrow screens too."""
    from lightweights.report.figure import render  # matplotlib, which tables do without
    from lightweights.report.narrow import narrowed

    figure = chapter_of("figures", name, chapters_for(results.study)).function("figures", name)(results)
    for kind in ("pdf", "svg"):
        write_atomic(results.folder / f"figures/{name}.{kind}", render(figure, kind))
    write_atomic(results.folder / f"figures/{name}.png", render(narrowed(figure), "png"))
    write_atomic(results.folder / f"figures/{name}.json", behind_json("figures", name, results))


def scorecard_texts(results: Results) -> dict[str, str]:
    """The scorecard: CSV, Markdown and HTML, contradictions within the sources last."""
    study, house = results.study, speaking(results.study)
    found, scores = contradictions_of(house), results.scores[results.scores.chapter.isin([chapter.name for chapter in house])]
    text = scorecard_markdown(scores, study, chapters()) + ("\n" + contradictions_markdown(found) if found else "")
    rows = pd.concat([scores.drop(columns=OWN), contradiction_rows(found)], ignore_index=True)
    html = to_html(text, f"{study.study.title}: scorecard")
    return {"scorecard.csv": computed_csv(rows), "scorecard.md": text, "scorecard.html": html}


def page_text(name: str, results: Results) -> dict[str, str]:
    """The page of a chapter."""
    from lightweights.report.words import chapter_page

    house = chapters_for(results.study)
    chapter = next((chapter for chapter in house if chapter.name == name), None)
    if chapter is None:
        there = ", ".join(chapter.name for chapter in house)
        raise SettingsError(f"{name!r}: expected tables/NAME, figures/NAME, scorecard, RESULTS or a chapter ({there})")
    return {f"{name}.md": chapter_page(chapter, results)}


def front_text(results: Results) -> dict[str, str]:
    """RESULTS.md, the study's first page."""
    from lightweights.report.words import front_page

    return {"RESULTS.md": front_page(results, len(contradictions_of(speaking(results.study))))}


def write_report(path: Path) -> None:
    """Write report.html, the study on one page."""
    from lightweights.report.page import report_page

    results = read_results(path)
    write_atomic(results.folder / "report.html", report_page(results))


def small_tables(results: Results) -> list[Table]:
    """For a terminal: experiments of no chapter, then what chapters have that the study takes experiments from; where that is nothing, all
    of the study's own experiments.
    """
    study, there = results.study, set(results.runs.experiment)
    belongs = {name: experiment.chapter for name, experiment in study.experiments.items() if name in there}
    found, rest = [], []
    for chapter in chapters_for(study):
        if isinstance(chapter, Experiments):
            for name in chapter.tables:
                (rest if belongs.get(name.removeprefix(PREFIX)) else found).append(chapter.function("tables", name))
        elif chapter.name in belongs.values() and hasattr(chapter.module("tables"), "glance"):
            found.append(chapter.function("tables", "glance"))
    tables = [table for draw in found if (table := draw(results)) is not None]
    return tables or [table for draw in rest if (table := draw(results)) is not None]


def study_at_a_glance(name: str) -> str:
    """The small tables of the chapters, then where to read on: first page, scorecard and report, as far as they are there."""
    folder, path = study_folder(name), study_settings_file(name)
    lines = [read_study(path).study.title, ""]
    if (folder / "runs.csv").is_file():
        results = read_results(path)
        lines += [f"{markdown(table.display)}\n\n{table.caption}\n" for table in small_tables(results)] or ["No runs yet.", ""]
    places = {"results": folder / "RESULTS.md", "scorecard": folder / "scorecard.md", "report": folder / "report.html"}
    lines += [f"{what + ':':<11}{path}" for what, path in places.items() if path.is_file()]
    return "\n".join(lines)
