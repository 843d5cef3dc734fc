"""Tables, scorecard and pages against what drawing them from runs.csv gives; figures by the rows that they were drawn from."""

from pathlib import Path

from lightweights.errors import LightweightsError
from lightweights.files import read_json
from lightweights.report.behind import behind
from lightweights.report.chapter import chapters
from lightweights.report.make import read_results, texts
from lightweights.report.results import Results
from lightweights.settings.own_code import said
from lightweights.study.alike import alike
from lightweights.study.findings import Findings
from lightweights.study.layout import study_settings_file

ANEW = "`snakemake --cores 1 summary` draws what has changed; `lightweights draw` one of them"


def check_drawn(name: str, findings: Findings) -> None:
    """Whatever of a study's summary is there; nothing where its runs were not collected."""
    path = study_settings_file(name)
    if not (path.parent.parent / "runs.csv").is_file():
        return
    try:
        results = read_results(path)
    except LightweightsError as error:
        findings.wrong.append(str(error))
        return
    house = chapters()
    pages = ["scorecard", "RESULTS", *(chapter.name for chapter in house)]
    for part in [*(f"tables/{table}" for chapter in house for table in chapter.tables), *pages]:
        if any((results.folder / f"{part}.{ending}").is_file() for ending in ("md", "csv")):
            check_texts(part, results, findings)
    for figure in [figure for chapter in house for figure in chapter.figures]:
        check_figure(figure, results, findings)


def check_texts(part: str, results: Results, findings: Findings) -> None:
    """The files of a table, the scorecard or a page."""
    try:
        drawn = texts(part, results)
    except (Exception, SystemExit) as error:  # whatever a chapter makes of runs that are not what they were
        findings.wrong.append(f"{results.folder / part}: it cannot be drawn ({said(error)})")
        return
    for name, text in drawn.items():
        path = results.folder / name
        if not path.is_file():
            findings.absent.append(str(path))
        elif (line := first_difference(path, text)) is not None:
            findings.wrong.append(f"{path}: line {line} is not what drawing it from runs.csv gives; {ANEW}")
        else:
            findings.count("files of tables and pages")


def check_figure(name: str, results: Results, findings: Findings) -> None:
    """A figure by the digest of its rows, which lies beside it."""
    path = results.folder / f"figures/{name}.json"
    if not path.is_file():
        return
    try:
        told = read_json(path)["runs_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        findings.wrong.append(f"{path}: not what stands behind a figure ({error}); {ANEW}")
        return
    if told != behind("figures", name, results)["runs_sha256"]:
        findings.wrong.append(f"{path}: the figure was drawn from other rows than runs.csv has; {ANEW}")
    findings.count("figures by their rows")
    findings.undigested("figures")


def first_difference(path: Path, text: str) -> int | None:
    """The number of the first line of a file that does not say what that of a text says; None where all do."""
    found, wanted = path.read_bytes().splitlines(), text.encode().splitlines()
    if path.suffix == ".json":  # digests of code and versions change without any number
        rows = [[line for line in lines if b"runs_sha256" in line] for lines in (found, wanted)]
        return None if rows[0] == rows[1] else 1
    pairs = enumerate(zip(found, wanted, strict=False), 1)
    line = next((number for number, (one, other) in pairs if not alike(one, other)), None)
    return line if line is not None or len(found) == len(wanted) else min(len(found), len(wanted)) + 1
