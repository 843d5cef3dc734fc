"""The steps from finished runs to paper, each reading and writing files of the study's folder."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from lightweights.params import SettingsError, Study, parse_study
from lightweights.study.claims import Claim, read_claims
from lightweights.study.collect import collect, read_histories, read_runs, reported_test_sets, to_csv, write_runs
from lightweights.study.files import read_json, write_atomic
from lightweights.study.html import to_html
from lightweights.study.inconsistencies import read_inconsistencies
from lightweights.study.layout import RESULTS, laws_file, study_folder

CLAIMS = Path("workflow/reference/claims.csv")
INCONSISTENCIES = Path("workflow/reference/inconsistencies.csv")


def read_study(path: Path) -> Study:
    """The study of a study.json. Raises SettingsError where it is not one."""
    try:
        return parse_study(read_json(path), path.name)
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; `snakemake -n` writes it (with --configfile for a preset)") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: not the settings of a study ({error}); delete it and start snakemake again") from None


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


def draw_table(name: str, path: Path) -> None:
    """Write one table in all its formats."""
    from lightweights.study import ablation, compression, distillation_tables, influence, noise, tables

    study, runs, claims = _material(path)

    def histories() -> pd.DataFrame:
        return read_histories(study.study.name, runs[runs.method == "student"], RESULTS)

    # Torch takes seconds to import, and these three alone need it.
    def heralding() -> tables.Table | None:
        from lightweights.study.noise_devices import heralding_rates

        return heralding_rates(study)

    def noise_alone() -> tables.Table | None:
        from lightweights.study.noise_devices import alone_table

        return alone_table(study)

    def laws() -> tables.Table | None:
        from lightweights.study.distillation_laws import laws_table

        return laws_table(read_laws(study))

    makers = {
        "classical": lambda: tables.classical_table(runs, claims, study),
        "quantum_train": lambda: tables.quantum_train_table(runs, claims, study),
        "protocols": lambda: tables.protocols_table(runs),
        "ablation": lambda: ablation.ablation_table(runs),
        "circuits": lambda: ablation.circuits_table(runs),
        "photons": lambda: influence.photons_table(runs),
        "compression": lambda: compression.compression_table(runs, claims),
        "noise": lambda: noise.noise_table(runs),
        "heralding": heralding,
        "noise_alone": noise_alone,
        "pqkd": lambda: distillation_tables.pqkd_table(runs, claims, study),
        "pqkd_controls": lambda: distillation_tables.controls_table(runs, study, histories()),
        "pqkd_extreme_controls": lambda: distillation_tables.extreme_controls_table(runs, study, histories()),
        "pqkd_calibration": lambda: distillation_tables.calibration_table(runs, study),
        "pqkd_choices": lambda: distillation_tables.choices_table(runs, study, histories()),
        "pqkd_compression": lambda: distillation_tables.compression_table(runs, study),
        "pqkd_shots": lambda: distillation_tables.shots_table(runs, study),
        "pqkd_laws": laws,
    }
    table = _named(name, makers)()
    if table is None:
        raise SettingsError(f"table {name}: study {study.study.name} has no runs of that experiment")
    folder = study_folder(study.study.name) / "tables"
    tables.write_table(table, folder)
    write_atomic(folder / f"{name}.html", to_html(tables.to_markdown(table), f"{study.study.title}: {name}"))


def draw_figure(name: str, path: Path) -> None:
    """Write one figure in all its formats."""
    from lightweights.study import ablation_figures, compression, distillation_figures, figures, influence, noise_figures

    study, runs, claims = _material(path)
    drawn = figures.FIGURES | ablation_figures.ABLATION_FIGURES | noise_figures.noise_figures(study)
    drawn |= distillation_figures.distillation_figures(study, read_laws(study) if name == "pqkd_laws" else None)
    draw = _named(name, drawn | {"photons": influence.photons, "compression": compression.compression})
    histories = read_histories(study.study.name, runs, RESULTS)
    figures.write_figure(draw(runs, histories, claims), study_folder(study.study.name) / "figures", name)


def write_laws(path: Path) -> None:
    """Measure the laws of shot noise on the study's feature and write laws.csv."""
    from lightweights.study.distillation_laws import measure_laws

    study = read_study(path)
    write_atomic(laws_file(study), to_csv(measure_laws(study)))


def read_laws(study: Study) -> pd.DataFrame:
    """laws.csv. Raises SettingsError where it is not there."""
    try:
        return pd.read_csv(laws_file(study))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{laws_file(study)} cannot be read ({error}); `lightweights laws STUDY.json` makes it") from None


def score_claims(path: Path) -> None:
    """Write the scorecard in all its formats."""
    from lightweights.study import scorecard

    study, runs, claims = _material(path)
    folder = study_folder(study.study.name)
    scores = scorecard.scorecard(runs, claims, study)
    text = scorecard.write_scorecard(scores, read_inconsistencies(INCONSISTENCIES), study, folder)
    write_atomic(folder / "scorecard.html", to_html(text, f"{study.study.title}: scorecard"))


def write_findings(path: Path) -> None:
    """Write in words what the ablation found."""
    from lightweights.study.ablation import findings

    study, runs, _ = _material(path)
    text, folder = findings(runs, study), study_folder(study.study.name)
    write_atomic(folder / "findings.md", text)
    write_atomic(folder / "findings.html", to_html(text, f"{study.study.title}: findings"))


def write_results(path: Path) -> None:
    """Write the one page that says what the study found."""
    from lightweights.study.results_page import results_page
    from lightweights.study.scorecard import scorecard

    study, runs, claims = _material(path)
    found = read_inconsistencies(INCONSISTENCIES)
    page = results_page(runs, scorecard(runs, claims, study), len(found), study)
    write_atomic(study_folder(study.study.name) / "RESULTS.md", page)


def write_report(path: Path) -> None:
    """Write report.html, the study on one page."""
    from lightweights.study.report import report_page

    study, runs, _ = _material(path)
    folder = study_folder(study.study.name)
    write_atomic(folder / "report.html", report_page(study, runs, folder))


def _material(path: Path) -> tuple[Study, pd.DataFrame, list[Claim]]:
    study = read_study(path)
    runs = study_folder(study.study.name) / "runs.csv"
    if not runs.is_file():
        raise SettingsError(f"{runs}: no such file; `lightweights collect {path}` makes it")
    return study, read_runs(runs), read_claims(CLAIMS)


def _named(name: str, choices: dict[str, Any]) -> Any:
    if name not in choices:
        raise SettingsError(f"{name!r}: there are {', '.join(choices)}")
    return choices[name]
