"""Tables of the adapters: every arm at every budget, and differences paired by seed."""

import pandas as pd

from lightweights.report.comparisons import SMALLEST_N, p_value, signed_interval
from lightweights.report.measures import NOTHING, format_number
from lightweights.report.results import Results
from lightweights.report.statistics import summarise
from lightweights.report.table import Table, counts_cell, counts_of, from_three

from .comparisons import CLASSES, LABELS, TASKS, Task, differences, secondary

_COUNTS = "Trained numbers\n(stated / used / effective)"


def adapters_arms(results: Results) -> Table | None:
    """What every arm reaches at every budget, on both tasks; None without runs."""
    rows, cells = [], []
    for task in TASKS:
        for label, budget, own in _parts(task, results.runs):
            found, counts = summarise(own[task.value]), counts_of(own)
            rates = sorted(own.learning_rate.unique())
            row = {"task": task.words, "budget": budget, "arm": label, **counts, "quantity": task.value, **found.columns()}
            rows.append(row | {"learning_rates": " ".join(f"{rate:g}" for rate in rates)})
            cell = {"Task": task.words, "Budget": f"{budget:,}", "Arm": label, _COUNTS: counts_cell(pd.Series(counts)), "n": str(found.n)}
            cells.append(cell | {"Reached": from_three(found, task.value), "Rates kept": _rates(rates)})
    if not rows:
        return None
    caption = (
        "Next token: cross-entropy of the real tokens of the test texts in nats, padding not counted; less is better. Classes: accuracy "
        f"(%) of the test texts; numbers are told with the {CLASSES.head:,} of the head, which every arm trains besides its budget. "
        "Mean ± sd over seeds, [95 % t interval]. Each arm is as large as its budget allows; effective: without those that move no "
        "outcome. The largest budget of a task is all numbers of its adapters, trained directly. Every arm tries the same learning rates; "
        "the one that validates best is kept."
    )
    return Table("adapters_arms", caption, pd.DataFrame(rows), pd.DataFrame(cells))


def _parts(task: Task, runs: pd.DataFrame) -> list[tuple[str, int, pd.DataFrame]]:
    """Arm, budget and runs of each row that there is."""
    parts = [("no adapter", 0, task.without_adapters(runs)), ("LoRA", task.all_numbers, task.of_arm(runs, "lora", task.all_numbers))]
    parts += [(label, budget, task.of_arm(runs, arm, budget)) for budget in task.budgets for arm, label in LABELS.items()]
    return [part for part in parts if len(part[2])]


def _rates(rates: list[float]) -> str:
    return f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g}"


def adapters_differences(results: Results) -> Table | None:
    """Photons minus what stands in their place, and the published generator minus all adapters; None without pairs."""
    parts = [(task, find(results.runs, task), find is differences) for task in TASKS for find in (differences, secondary)]
    there = [(task, part.assign(primary=primary)) for task, part, primary in parts if len(part)]
    if not there:
        return None
    cells = []
    for task, part in there:
        for row in part.itertuples():
            whole = " of all numbers" * (row.minus_budget == task.all_numbers)
            cell = {"Task": task.words, "Budget": f"{row.budget:,}", "Difference": f"{LABELS[row.arm]} minus {LABELS[row.minus]}{whole}"}
            cell |= {"n": str(row.n), "Mean [95 % interval]": signed_interval(pd.Series(row._asdict()), task.value)}
            cell["Worst\n(one-sided)"] = format_number(row.worst, task.value) if row.n > 1 else NOTHING
            cells.append(cell | {"p (Holm)": p_value(row.p_holm), "": f"*{row.word}*" if row.primary else NOTHING})
    margins = " and ".join(f"±{task.margin:g} {'nats' if task.better < 0 else 'points'}" for task in TASKS)
    caption = (
        "Paired by seed, which decides shots, initial values and batches: mean [95 % t interval] of nats a token (below 0 the first arm is "
        "better) and of points of accuracy (above 0 it is). *differs*: p of the paired t test below 0.05 after Holm's correction over the "
        f"contrasts of the analysis plan on the task that have {SMALLEST_N} pairs; *equivalent*: two one-sided tests place it within "
        f"{margins} (p < 0.05); *open*: neither. Worst: the one-sided 95 % bound on the side where the first arm is worse; where it lies "
        "within the margin that arm is not inferior. Rows without a word are not among the plan's contrasts."
    )
    return Table("adapters_differences", caption, pd.concat([part for _, part in there]), pd.DataFrame(cells))
