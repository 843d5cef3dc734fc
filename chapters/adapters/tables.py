"""Tables of the adapters: every arm at every budget, and differences paired by seed."""

import pandas as pd

from lightweights.report.comparisons import SMALLEST_N, p_value, signed_interval
from lightweights.report.measures import NOTHING, format_number
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, counts_cell, counts_of, from_three

from .comparisons import BUDGETS, CEILING, LABELS, MARGIN, VALUE, differences, of_arm, secondary


def adapters_arms(results: Results) -> Table | None:
    """Nats a real token of the test glosses, all arms and budgets; None without runs."""
    rows, cells = [], []
    parts = [("adapters as they were", 0, results.of("adapters_frozen")), ("LoRA", CEILING, of_arm(results.runs, "lora", CEILING))]
    parts += [(words, budget, of_arm(results.runs, arm, budget)) for budget in BUDGETS for arm, words in LABELS.items()]
    for words, budget, own in parts:
        if own.empty or VALUE not in own:
            continue
        label = "no adapter" if budget == 0 else words
        found, counts = summarise(own[VALUE]), counts_of(own)
        rates = sorted(own.learning_rate.unique())
        rows.append({"budget": budget, "arm": label, **counts, **found.columns(), "learning_rates": " ".join(f"{lr:g}" for lr in rates)})
        cell = {"Budget": f"{budget:,}", "Arm": label, "Trained numbers\n(stated / used / effective)": counts_cell(pd.Series(counts))}
        cells.append(cell | {"n": str(found.n), "Nats a token": from_three(found, VALUE), "Rates kept": _rates(rates)})
    if not rows:
        return None
    caption = (
        "Cross-entropy of the real tokens of the test texts in nats, padding not counted: mean ± sd over seeds, [95 % t interval]. Each "
        "arm is as large as its budget of trained numbers allows; effective: without those that move no outcome. Budgets are 6.25, 16.8 "
        "and 52.06 % of the 8,192 numbers of all adapters (rank 4, query and value of every layer), which LoRA trains in the first rows. "
        "Every arm tries the same learning rates; the one that validates best is kept."
    )
    return Table("adapters_arms", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def _rates(rates: list[float]) -> str:
    return f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g}"


def adapters_differences(results: Results) -> Table | None:
    """Photons minus what stands in their place, and the published generator minus all adapters; None without pairs."""
    parts = (differences(results.runs).assign(primary=True), secondary(results.runs).assign(primary=False))
    there = [part for part in parts if len(part)]
    if not there:
        return None
    data, margin = pd.concat(there), format_number(MARGIN, VALUE)
    cells = [
        {
            "Budget": f"{row.budget:,}",
            "Difference": f"{LABELS[row.arm]} minus {LABELS[row.minus]}{' of all numbers' * (row.minus_budget == CEILING)}",
            "n": str(row.n),
            "Nats [95 % interval]": signed_interval(pd.Series(row._asdict()), VALUE),
            "Highest\n(one-sided)": format_number(row.highest, VALUE) if row.n > 1 else NOTHING,
            "p (Holm)": p_value(row.p_holm),
            "": f"*{row.word}*" if row.primary else NOTHING,
        }
        for row in data.itertuples()
    ]
    caption = (
        "Paired by seed, which decides shots, initial values and batches: mean [95 % t interval]; below 0 the first arm is better. "
        f"*differs*: p of the paired t test below 0.05 after Holm's correction over all contrasts of the plan that have "
        f"{SMALLEST_N} pairs; *equivalent*: two one-sided tests place it within ±{margin} nats (p < 0.05); *open*: neither. "
        f"Highest: the upper one-sided 95 % bound; where it lies below {margin} the first arm is not inferior. Rows without a word are not "
        "among the plan's contrasts."
    )
    return Table("adapters_differences", caption, data, pd.DataFrame(cells))
