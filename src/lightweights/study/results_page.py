"""One page that says what a study found: RESULTS.md, made from runs.csv and the scorecard alone."""

from collections import Counter

import pandas as pd

from lightweights.params import Study
from lightweights.study.ablation import ARM_LABELS, compare_arms, signed_interval
from lightweights.study.catalogue import FIGURES, TABLES, shown
from lightweights.study.compression import METHODS
from lightweights.study.scorecard import NOT_RUN, VERDICTS
from lightweights.study.statistics import summarise
from lightweights.study.tables import markdown, short_cell

_QUESTIONS = {
    "photonic_qt": "Does photonic Quantum-Train reach its published numbers?",
    "baselines": "Do the classical and gate-based baselines?",
    "photonic_qt_random_inputs": "Do random inputs collapse?",
    "photonic_qt_noise": "Does noise cost less than 3 points?",
    "distillation": "Does photonic distillation (PQKD)?",
}
_SHOWN_FIGURES = ("accuracy_against_parameters", "ablation", "compression", "noise_sweeps", "budget", "photons")
"""In the order of importance; the first four that exist are shown."""


def results_page(runs: pd.DataFrame, scores: pd.DataFrame, contradictions: int, study: Study) -> str:
    """The page. Two pages are equal where runs and settings are, whatever else happened."""
    parts = [
        f"# Results: {study.study.title}",
        _how_far(runs, study),
        "## What was claimed, what was found",
        _questions(scores),
        _photons(runs),
        "The [scorecard](scorecard.md) has every published number with ours, intervals, verdict and reason. "
        + (f"It also lists {contradictions} contradictions within the sources." if contradictions else ""),
        "## Figures",
        _figures(runs),
        "## All tables and figures",
        _links(runs),
        "## How our protocol differs from the published ones",
        _deviations(scores),
        "## What it took",
        _cost(runs),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _how_far(runs: pd.DataFrame, study: Study) -> str:
    asked, landed = Counter(run.experiment for run in study.runs()), Counter(runs.experiment)
    missing = {name: count - landed[name] for name, count in asked.items() if landed[name] < count}
    text = f"{len(runs)} of the {sum(asked.values())} runs that params.yaml asks for are in this page."
    if not missing:
        return text
    lists = ", ".join(f"{name} ({count})" for name, count in missing.items())
    return f"{text} Still to do: {lists}. `snakemake --cores N` trains them; statements below rest on what has landed, and say their n."


def _questions(scores: pd.DataFrame) -> str:
    """Verdicts by question, for the questions that some claim with runs belongs to."""
    rows = []
    for key, question in _QUESTIONS.items():
        group = scores[scores.method.map(_question) == key]
        judged = group[group.verdict != NOT_RUN]
        counts = Counter(judged.verdict)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]) or "nothing judged yet"
        seeds = judged.n.astype(int)
        spread = "-" if judged.empty else str(seeds.min()) if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
        rows.append({"Question": question, "Claims judged": f"{len(judged)} of {len(group)}", "Verdicts": told, "Seeds": spread})
    return markdown(pd.DataFrame(rows))


def _question(method: str) -> str:
    if method in ("weight_sharing", "pruning", "gate_based_qt", "classical_target", "cnn_978", "photonic_logit_tanh"):
        return "baselines"
    if method.startswith(("teacher", "pqkd")):
        return "distillation"
    return method


def _photons(runs: pd.DataFrame) -> str:
    """The question that the papers leave open, in one list: trained photons against what replaces them."""
    lines = []
    for reference in ("mps-only", "product-free", "distinguishable"):
        table = compare_arms(runs, reference)
        for _, row in table[table.arm == "photonic"].iterrows():
            verdict = "" if reference == "distinguishable" else f": **{row.word}**"
            lines.append(
                f"- Bond dimension {row.bond_dim}, {row.rounds} rounds: trained photons minus {ARM_LABELS[reference]} "
                f"{signed_interval(row, row.quantity)} points, n = {row.n}{verdict}"
            )
    if not lines:
        return ""
    return "**Is it the photons?** Differences of test accuracy, paired by seed ([what follows](findings.md)):\n\n" + "\n".join(lines)


def _figures(runs: pd.DataFrame) -> str:
    there = shown(FIGURES, set(runs.experiment))
    chosen = [name for name in _SHOWN_FIGURES if name in there][:4]
    return "\n\n".join(f"![{FIGURES[name][1]}](figures/{name}.png)\n\n*{FIGURES[name][1]}.*" for name in chosen)


def _links(runs: pd.DataFrame) -> str:
    experiments = set(runs.experiment)
    tables = ", ".join(f"[{TABLES[name][0]}: {TABLES[name][1]}](tables/{name}.md)" for name in shown(TABLES, experiments))
    figures = ", ".join(f"[{FIGURES[name][0]}: {FIGURES[name][1]}](figures/{name}.svg)" for name in shown(FIGURES, experiments))
    return f"Tables: {tables}.\n\nFigures: {figures}.\n\nOne row a run: [runs.csv](runs.csv)."


def _deviations(scores: pd.DataFrame) -> str:
    judged = scores[(scores.verdict != NOT_RUN) & (scores.deviations.fillna("") != "")]
    lines = []
    for method, group in judged.groupby("method", sort=False):
        found = dict.fromkeys(note for text in group.deviations for note in text.split("; "))
        lines.append(f"- {str(method).replace('_', ' ')}: {'; '.join(found)}")
    return "\n".join(lines) or "No judged claim has one."


def _cost(runs: pd.DataFrame) -> str:
    if runs.empty:
        return "Nothing was run."
    rows = []
    for experiment, group in runs.groupby("experiment", sort=False):
        minutes = summarise(group.wall_seconds / 60)
        rows.append(
            {
                "Experiment": METHODS[str(experiment)][0] if experiment in METHODS else str(experiment).replace("_", " "),
                "Runs": str(len(group)),
                "Minutes a run": short_cell(minutes, "minutes"),
                "Hours": f"{group.wall_seconds.sum() / 3600:.1f}",
            }
        )
    devices = ", ".join(sorted({f"{row.device}, {row.threads} thread(s)" for row in runs.itertuples()}))
    total = f"{runs.wall_seconds.sum() / 3600:.1f} hours of runs in all, on {runs.host.nunique()} machine(s): {devices} a run."
    return f"{total}\n\n{markdown(pd.DataFrame(rows))}"
