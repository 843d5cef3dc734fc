"""The results as tables: a CSV file, tidy, and one in Markdown, made from it alone and the facts about the machine."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import pandas as pd
import torch

from benchmarks import distillation, steps
from benchmarks.timing import Row
from lightweights.study.provenance import provenance

PACKAGES = ("lightweights", "torch", "numpy", "scipy", "perceval-quandela", "merlinquantum")


@dataclass(frozen=True)
class Target:
    """What the project set out to reach, and what was measured."""

    text: str
    measured: str
    met: bool


def table_of(rows: list[Row]) -> pd.DataFrame:
    """One row a contestant and setting."""
    return pd.DataFrame([row.plain() for row in rows])


def targets(table: pd.DataFrame) -> list[Target]:
    """The project's targets, judged by the medians of the table."""

    def row(benchmark: str, setting: str, contestant: str = "ours") -> pd.Series:
        found = table[(table.benchmark == benchmark) & (table.setting == setting) & (table.contestant == contestant)]
        if len(found) != 1:
            raise ValueError(f"the results have {len(found)} rows for {benchmark}, {setting}, {contestant}; expected one")
        return found.iloc[0]

    step = ("training step", "bond_dim=10")
    more = row(*step).median_ms - row(*step, steps.CNN_ALONE).median_ms
    faster = row(*step, steps.AUTHORS).ratio_to_ours
    cobyla = row("COBYLA evaluation, SciPy included", "192 phases").median_ms
    judged = [
        Target("training step at bond dimension 10: at most 3 ms more than the CNN alone", f"{more:.1f} ms more", more <= 3),
        Target("the same: at least 10 times faster than the authors' way", f"{faster:.1f} times", faster >= 10),
        Target("COBYLA evaluation, SciPy included: at most 30 ms", f"{cobyla:.1f} ms", cobyla <= 30),
    ]
    large = table[(table.benchmark == "large circuit") & table.setting.str.endswith("backward") & table.peak_mib.notna()]
    for found in large.itertuples():
        text = f"probabilities of {found.setting}: within 2 GiB, the whole process"
        judged.append(Target(text, f"{found.peak_mib:,.0f} MiB", found.peak_mib <= 2048))
    return judged


def environment(load_before: tuple[float, ...], load_after: tuple[float, ...], cores: int) -> list[str]:
    """What the numbers depend on besides the code, as lines of Markdown. Names no machine."""
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    loads = " to ".join(f"{load[0]:.1f}" for load in (load_before, load_after))
    gpu = [f"- GPU: {torch.cuda.get_device_name()}."] if torch.cuda.is_available() else []
    return [
        f"- Processor: {provenance(torch.device('cpu'), 1)['device'].removeprefix('cpu: ')}, {cores} cores, one thread used.",
        *gpu,
        f"- Load average (1 min) from start to end: {loads}. CPU time does not count waiting, but shared caches slow all contestants down.",
        f"- Python {platform.python_version()}, {versions}.",
    ]


def markdown(table: pd.DataFrame, facts: list[str], judged: list[Target]) -> str:
    """The results for reading: median in ms, or images a second, and, in brackets, how many times our time."""
    lines = ["# Benchmarks", "", "Process CPU time, one thread; wall time where a setting says cuda. Median of one piece of work in ms, or"]
    lines += ["images a second; in brackets the median ratio of times to ours, taken round by round. What is measured and how:"]
    lines += ["docs/benchmarks.md. Quartiles and repeats: the CSV file of the same name.", "", *facts]
    worst = table.deviation.max()
    lines += [f"- Contestants compute the same: largest relative difference from ours {worst:.0e} (single precision)."]
    if judged:
        lines += ["", "| target | measured | |", "|---|---|---|"]
        lines += [f"| {t.text} | {t.measured} | {'pass' if t.met else 'FAIL'} |" for t in judged]
    for benchmark, part in table.groupby("benchmark", sort=False):
        settings = list(dict.fromkeys(part.setting))
        lines += ["", f"## {str(benchmark)[0].upper()}{str(benchmark)[1:]}", ""]
        unit = "images a second (time, times ours)" if benchmark in distillation.OF_IMAGES else "ms (times ours)"
        lines += [f"| {unit} | {' | '.join(settings)} |", "|---|" + "---|" * len(settings)]
        for contestant, own in part.groupby("contestant", sort=False):
            cells = {row.setting: _cell(row) for row in own.itertuples()}
            lines.append(f"| {contestant} | {' | '.join(cells.get(setting, '') for setting in settings)} |")
    return "\n".join(lines) + "\n"


def _cell(row) -> str:
    ratio = f" ({_short(row.ratio_to_ours)})" if row.contestant != "ours" else ""
    memory = f"; peak {row.peak_mib:,.0f} MiB" if row.peak_mib == row.peak_mib else ""
    value = 1000 / row.median_ms if row.benchmark in distillation.OF_IMAGES else row.median_ms
    return f"{_short(value)}{ratio}{memory}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
