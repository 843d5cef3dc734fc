"""One page that says what a study found: RESULTS.md, made from runs.csv and the scorecard alone."""

from collections import Counter

import pandas as pd

from lightweights.params import Study
from lightweights.study.ablation import ARM_LABELS, REFERENCES, compare_arms, signed_interval, what_follows
from lightweights.study.catalogue import FIGURES, TABLES, shown
from lightweights.study.compression import METHODS
from lightweights.study.scorecard import NOT_RUN, VERDICTS
from lightweights.study.statistics import span, summarise
from lightweights.study.tables import markdown, short_cell

_SUBJECT = """Photonic Quantum-Train (arXiv 2505.08474) generates the weights of a small network: photons in linear interferometers give
probabilities, and a matrix product state of bond dimension χ maps them to weights; phases and mapping are trained, the network itself is
not ([how it is modelled](../../docs/photonic_quantum_train.md)). Photonic quantum-enhanced knowledge distillation (PQKD, arXiv 2603.14898)
trains a compressed student whose kernels are mixed by a photonic feature ([how](../../docs/pqkd.md)). All photons here are simulated. A
published number is *reproduced* where ours lies within the tolerance of the [analysis plan](../../docs/analysis_plan.md), fixed before the
runs; *higher*, *lower*, *fails* where it does not; *open* where our interval is too wide to say."""
_QUESTIONS = {
    "photonic_qt": "Does photonic Quantum-Train reach its published numbers?",
    "baselines": "Do the classical and gate-based baselines?",
    "photonic_qt_random_inputs": "Do random inputs collapse?",
    "photonic_qt_noise": "Does noise cost less than 3 points?",
    "distillation": "Does photonic distillation (PQKD)?",
}
_SHOWN_FIGURES = ("accuracy_against_parameters", "ablation", "compression", "noise", "budget", "photons")
"""In the order of importance; the first four that exist are shown."""


def results_page(runs: pd.DataFrame, scores: pd.DataFrame, contradictions: int, study: Study) -> str:
    """The page. Two pages are equal where runs and settings are, whatever else happened."""
    parts = [
        f"# Results: {study.study.title}",
        _SUBJECT,
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
        _still_to_do(runs, study),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _how_far(runs: pd.DataFrame, study: Study) -> str:
    asked = len(study.runs())
    whole = len(runs) >= asked
    text = f"This page rests on {len(runs)} of the {asked} runs that params.yaml asks for"
    return f"{text}." if whole else f"{text} (what is missing stands at the end); each statement says its number of seeds."


def _still_to_do(runs: pd.DataFrame, study: Study) -> str:
    asked, landed = Counter(run.experiment for run in study.runs()), Counter(runs.experiment)
    missing = {name: count - landed[name] for name, count in asked.items() if landed[name] < count}
    if not missing:
        return ""
    lists = ", ".join(f"{name} ({count})" for name, count in missing.items())
    return f"## Still to do\n\n`snakemake --cores N` trains what is missing, by experiment: {lists}."


def _questions(scores: pd.DataFrame) -> str:
    """Verdicts by question, for the questions that some claim with runs belongs to."""
    rows = []
    for key, question in _QUESTIONS.items():
        group = scores[scores.method.map(_question) == key]
        judged = group[group.verdict != NOT_RUN]
        counts = Counter(judged.verdict)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]) or "nothing judged yet"
        seeds = judged.n.astype(int)
        spread = "-" if judged.empty else span(seeds)
        rows.append({"Question": question, "Claims judged": f"{len(judged)} of {len(group)}", "Verdicts": told, "Seeds": spread})
    return markdown(pd.DataFrame(rows))


def _question(method: str) -> str:
    if method in ("weight_sharing", "pruning", "gate_based_qt", "classical_target", "cnn_978", "photonic_logit_tanh"):
        return "baselines"
    if method.startswith(("teacher", "pqkd")):
        return "distillation"
    return method


def _photons(runs: pd.DataFrame) -> str:
    """The question that the papers leave open: trained photons against what replaces them."""
    references = (*REFERENCES, "distinguishable")
    cells: dict[tuple[int, int], dict[str, str]] = {}
    for reference in references:
        table = compare_arms(runs, reference)
        for _, row in table[table.arm == "photonic"].iterrows():
            cell = cells.setdefault((row.bond_dim, row.rounds), {"Bond dimension": f"{row.bond_dim}", "Rounds": f"{row.rounds}"})
            verdict = f" **{row.word}**" if reference in REFERENCES else ""
            cell[f"minus {ARM_LABELS[reference]}"] = f"{signed_interval(row, row.quantity)}{verdict}"
            cell["n"] = str(row.n)
    if not cells:
        return ""
    columns = ["Bond dimension", "Rounds", "n", *(f"minus {ARM_LABELS[reference]}" for reference in references)]
    shown_cells = pd.DataFrame([cells[key] for key in sorted(cells)]).reindex(columns=columns).fillna("-")
    lines = "\n".join(f"- {line}" for line in what_follows(runs))
    return (
        "### Is it the photons?\n\nThe paper says so, because random inputs in place of the circuits collapse accuracy. Here everything "
        "else is kept and the photons alone are replaced: by 1 (the matrix product state alone), by as many ordinary trained numbers "
        "(free product vectors), or by photons that do not interfere, which no quantum device is needed for. Test accuracy with trained "
        f"photons, in points, paired by seed [95 % interval] ([all of it](findings.md)):\n\n{markdown(shown_cells)}\n\n{lines}"
    )


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
