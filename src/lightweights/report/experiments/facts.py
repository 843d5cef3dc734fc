"""The tables of a study's own experiments as its pages show them."""

from dataclasses import dataclass

from lightweights.report.experiments import PREFIX, own_experiments
from lightweights.report.experiments.tables import of_experiment
from lightweights.report.results import Results
from lightweights.report.table import markdown


@dataclass(frozen=True)
class Told:
    """One experiment: its name, its caption, its table as Markdown, and the name of its figure."""

    name: str
    caption: str
    table: str
    figure: str


@dataclass(frozen=True)
class Facts:
    """All experiments that have runs."""

    experiments: tuple[Told, ...]


def facts(results: Results) -> Facts:
    """Of the experiments that no chapter speaks for."""
    found = ((name, of_experiment(results, name)) for name in own_experiments(results.study))
    return Facts(tuple(Told(name, table.caption, markdown(table.display), f"{PREFIX}{name}") for name, table in found if table is not None))
