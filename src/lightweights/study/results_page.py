"""One page that says what a study found: RESULTS.md, made from runs.csv and the scorecard alone."""

from collections import Counter

import pandas as pd

from lightweights.params import Study
from lightweights.study.ablation import (
    ARM_LABELS,
    REFERENCES,
    SMALLEST_N,
    arm_runs,
    compare_arms,
    in_brief,
    measure_of,
    set_name,
    signed_interval,
    words_so_far,
)
from lightweights.study.catalogue import FIGURES, TABLES, shown
from lightweights.study.compression import EQUAL_NUMBERS, METHODS, at_equal_numbers, unequal_epochs
from lightweights.study.distillation_findings import what_distillation_gives
from lightweights.study.noise import what_noise_costs
from lightweights.study.scorecard import (
    FAILS,
    HIGHER,
    HOLDS,
    LOWER,
    NOT_RUN,
    REPRODUCED,
    SHORTER,
    VERDICTS,
    is_wide,
    verdict_cell,
    with_interval,
)
from lightweights.study.statistics import span
from lightweights.study.tables import MINUS_COBYLA, markdown, protocols_table

_SUBJECT = """Photonic Quantum-Train (arXiv 2505.08474) generates the weights of a small network: photons in linear interferometers give
probabilities, and a matrix product state of bond dimension χ maps them to weights; phases and mapping are trained, the network itself is
not ([how it is modelled](../../docs/photonic_quantum_train.md)). Photonic quantum-enhanced knowledge distillation (PQKD, arXiv 2603.14898)
trains a compressed student whose kernels are mixed by a photonic feature ([how](../../docs/pqkd.md)). All photons here are simulated. A
published number is *reproduced* where our mean lies within the tolerance of the [analysis plan](../../docs/analysis_plan.md), or where the
interval of the difference says as much; *higher*, *lower*, *fails* where it does not; *open* where the means are further apart and the
interval is too wide to say. A mean can also be close by luck: *wide* marks the reproduced ones whose interval does not exclude that."""
_QUESTIONS = {
    "photonic_qt": "Does photonic Quantum-Train reach its published numbers?",
    "baselines": "Do the baselines: classical, gate-based, and MerLin's notebook?",
    "photonic_qt_random_inputs": "Do random inputs collapse?",
    "photonic_qt_noise": "Does noise cost less than 3 points?",
    "distillation": "Does photonic distillation (PQKD) reach its published numbers?",
}
_METHODS = {
    "photonic_qt": "photonic Quantum-Train",
    "photonic_qt_random_inputs": "random inputs",
    "photonic_qt_noise": "photonic Quantum-Train under noise",
    "gate_based_qt": "gate-based Quantum-Train",
    "photonic_logit_tanh": "MerLin's photonic variant",
    "cnn_978": "MerLin's network",
    "classical_target": "the target network, trained directly",
}
_QUANTITIES = {"accuracy_gain_points": "gain in accuracy (points)", "worst_test_accuracy_drop_points_below": "largest drop (points)"}
_SHOWN_FIGURES = ("accuracy_against_parameters", "ablation", "noise", "pqkd_controls", "compression", "budget", "photons")
"""In the order of importance; the first four that exist are shown."""


def results_page(runs: pd.DataFrame, scores: pd.DataFrame, contradictions: int, study: Study) -> str:
    """The page. Two pages are equal where runs and settings are, whatever else happened."""
    parts = [
        f"# Results: {study.study.title}",
        _SUBJECT,
        _how_far(runs, study),
        "## What was claimed, what was found",
        _questions(scores),
        _quantum_train(scores),
        _others(scores),
        _protocols(runs),
        _ordinary(runs),
        _photons(runs, study),
        _noise(runs, scores),
        _distillation(runs, scores, study),
        "The [scorecard](scorecard.md) has every published number with ours, intervals, verdict and reason. "
        + (f"It also lists {contradictions} contradictions within the sources." if contradictions else ""),
        "## Figures",
        _figures(runs),
        "## All tables and figures",
        _links(runs),
        "## How our protocol differs from the published ones",
        _deviations(scores),
        "## What it took",
        _cost(runs, study),
        _still_to_do(runs, study),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _how_far(runs: pd.DataFrame, study: Study) -> str:
    asked = len(study.runs())
    text = f"This page rests on {len(runs)} of the {asked} runs that params.yaml asks for"
    if len(runs) < asked:
        text += " (what is missing stands at the end)"
    return f"{text}; n is the number of seeds. Intervals tell how seeds differ, on test images that are always the same."


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
        wide = sum(is_wide(row) for row in judged.itertuples())
        extra = {REPRODUCED: f" ({wide} wide)"} if wide else {}
        told = ", ".join(f"{counts[verdict]} {verdict}{extra.get(verdict, '')}" for verdict in VERDICTS if counts[verdict])
        shorter = group.why.str.startswith(SHORTER).any()
        told = told or ("nothing at the published schedule" if shorter else "nothing judged yet")
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


def _quantum_train(scores: pd.DataFrame) -> str:
    """The headline numbers: photonic Quantum-Train's test accuracy by bond dimension."""
    own = scores[(scores.method == "photonic_qt") & (scores.quantity == "test_accuracy_percent") & (scores.n > 0)]
    if own.empty:
        return ""
    rows = [
        {
            "Bond dimension": row.setting.removeprefix("bond_dim="),
            "Published test accuracy (%)": row.reported,
            "Ours (%) [95 % interval]": with_interval(row.mean, row.ci95_low, row.ci95_high, row.quantity),
            "n": str(row.n),
            "Verdict": verdict_cell(row),
        }
        for row in own.itertuples()
    ]
    about = "Photonic Quantum-Train on the publication's 600 test images, by which its numbers are judged ([all](tables/quantum_train.md)):"
    return f"{about}\n\n{markdown(pd.DataFrame(rows))}"


def _others(scores: pd.DataFrame) -> str:
    """The claims that did not come out as published, and those that hold, one line each."""
    told = scores[scores.verdict.isin((HIGHER, LOWER, HOLDS, FAILS))]
    return "\n".join(
        f"- *{row.verdict}*: {_method(row.method)}{f', {_setting(row.setting)}' if row.setting else ''}, "
        f"{_QUANTITIES.get(row.quantity, row.quantity.removesuffix('_percent').replace('_', ' '))}: published {row.reported}; {row.why}."
        for row in told.itertuples()
    )


def _method(name: str) -> str:
    return _METHODS.get(name, name.replace("_", " "))


def _setting(text: str) -> str:
    """A claim's setting in words: ``bond_dim=4`` is bond dimension 4."""
    name, equals, value = text.partition("=")
    return f"{'bond dimension' if name == 'bond_dim' else name} {value}" if equals else text


def _protocols(runs: pd.DataFrame) -> str:
    """What it does to train the phases by gradients, which the publication does not."""
    table = protocols_table(runs)
    column = measure_of(runs)
    if table is None or "p" not in table.data:
        return ""
    found = table.data[(table.data.arm == MINUS_COBYLA) & (table.data.quantity == column)]
    told = [f"after {row.mapping_epochs} epochs {signed_interval(row, column)} points (n = {row.n})" for _, row in found.iterrows()]
    seconds = table.data[(table.data.quantity == "wall_seconds") & table.data.mapping_epochs.isin(found.mapping_epochs)]
    slower = seconds.groupby("protocol")["mean"].sum()
    return (
        f"Phases are trained by gradients here, by COBYLA as published, which took {slower['cobyla'] / slower['gradient']:.1f} times as "
        f"long. With the same seeds and equally many epochs on the mapping, gradients minus COBYLA on {set_name(column)}: "
        f"{'; '.join(told)} ([protocols](tables/protocols.md))."
    )


def _ordinary(runs: pd.DataFrame) -> str:
    """The controls that the paper leaves out: what other methods reach with as many numbers."""
    column = measure_of(runs)
    rows = at_equal_numbers(runs, column)
    if rows.empty:
        return ""
    return (
        f"### What do ordinary methods reach with as many numbers?\n\nTest accuracy (%) on {set_name(column)}, in brackets the trained "
        f"numbers, which are those of photonic Quantum-Train to within {100 * EQUAL_NUMBERS:g} %"
        f"{unequal_epochs(runs[runs.experiment.isin(METHODS)])} ([all sizes](tables/compression.md)):\n\n{markdown(rows)}"
    )


def _photons(runs: pd.DataFrame, study: Study) -> str:
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
    lines = "\n".join(f"- {line}" for line in in_brief(runs))
    return (
        "### Is it the photons?\n\nThe paper says so, because random inputs in place of the circuits collapse accuracy. Here everything "
        "else is kept and the photons alone are replaced: by 1 (the matrix product state alone), by ordinary trained numbers "
        "(free product vectors), or by photons that do not interfere, which no quantum device is needed for. Test accuracy with trained "
        f"photons on {set_name(measure_of(runs))}, in points, paired by seed [95 % interval] ([all of it](findings.md)):\n\n"
        f"{markdown(shown_cells)}\n\n"
        "Intervals are of single comparisons. Words correct for the number of comparisons (Holm): *differs*; *equivalent* within half a "
        f"point; *open*: neither is shown, or fewer than {SMALLEST_N} pairs. {words_so_far(runs, study)}"
        f"These arms do not train equally many numbers; used by the mapping, and in brackets effective:\n\n{_counts(runs)}\n\n{lines}"
    )


def _counts(runs: pd.DataFrame) -> str:
    """Numbers that the compared arms train, by bond dimension."""
    named = arm_runs(runs)
    named = named[named.arm.isin(("photonic", "distinguishable", *REFERENCES))]
    named = named[named.setting.isin(named.setting[named.arm.isin(REFERENCES)])]
    rows = []
    for bond_dim, group in named.groupby("bond_dim"):
        row = {"Bond dimension": str(bond_dim)}
        for arm in ("photonic", *REFERENCES, "distinguishable"):
            own = group[group.arm == arm]
            if len(own):
                effective = span(own.parameters_trained_effective.astype(int))
                row[ARM_LABELS[arm]] = f"{own.parameters_trained_used.iloc[0]:.0f} ({effective})"
        rows.append(row)
    return markdown(pd.DataFrame(rows).fillna("-"))


def _noise(runs: pd.DataFrame, scores: pd.DataFrame) -> str:
    judged = scores[(scores.method == "photonic_qt_noise") & (scores.n > 0)]
    bounds = [
        f"The published bound is judged on the 600 images of the publication (test600), which is less exact: **{row.verdict}**, "
        f"{with_interval(row.mean, row.ci95_low, row.ci95_high, row.quantity)} points at the {row.why}."
        for row in judged.itertuples()
    ]
    costs = what_noise_costs(runs)
    lines = "\n".join(f"- {line}" for line in costs[:1] + bounds + costs[1:])
    about = f"Accuracy lost on {set_name(measure_of(runs))}, "
    about += "against the same schedule without noise, paired by seed [95 % interval] ([all of it](tables/noise.md)):"
    return f"### What does noise cost?\n\n{about}\n\n{lines}" if lines else ""


def _distillation(runs: pd.DataFrame, scores: pd.DataFrame, study: Study) -> str:
    found = what_distillation_gives(runs, scores, study)
    if not found:
        return ""
    shorter = "Teachers and students trained shorter than the published 100 epochs, so that no published number is judged; test accuracy"
    about = (
        f"{shorter if scores.why.str.startswith(SHORTER).any() else 'Test accuracy'} ([Table 1](tables/pqkd.md), "
        "[deviations](../../docs/pqkd.md)). Differences are paired by seed [95 % interval]:"
    )
    return f"### What does photonic distillation give?\n\n{about}\n\n{found}"


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
        lines.append(f"- {_method(str(method))}: {'; '.join(found)}")
    told = "\n".join(lines) or "No judged claim has one."
    return f"{told}\n\nReasons: [how each paper is modelled](../../docs/photonic_quantum_train.md), [PQKD](../../docs/pqkd.md)."


def _cost(runs: pd.DataFrame, study: Study) -> str:
    if runs.empty:
        return "Nothing was run."
    parts = runs.experiment.map(lambda name: study.experiments[name].part or name)
    rows = [
        {"Experiments": str(part).replace("_", " "), "Runs": str(len(group)), "Hours": f"{group.wall_seconds.sum() / 3600:.1f}"}
        for part, group in runs.groupby(parts, sort=False)
    ]
    devices = ", ".join(sorted({f"{row.device} ({row.threads} thread(s))" for row in runs.itertuples()}))
    total = f"{runs.wall_seconds.sum() / 3600:.1f} hours of runs in all; machines and threads a run: {devices}."
    return f"{total}\n\n{markdown(pd.DataFrame(rows))}"
