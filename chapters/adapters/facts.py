"""What the adapters found, as numbers."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lightweights.report.results import Results
from lightweights.report.statistics import Summary, paired_by_seed, summarise

from .comparisons import LABELS, PHOTONIC, TASKS, Task, differences, secondary


@dataclass(frozen=True)
class AtBudget:
    """At one budget: its share of all numbers in percent, how many each arm uses of it, the photons, the arm with the best mean, the plan's
    contrasts, and the one to LoRA of the same budget (None where that was not run).
    """

    budget: int
    percent: float
    used: dict[str, int]
    photons: Summary
    best: tuple[str, Summary]
    contrasts: list[Any]
    lora: Any


@dataclass(frozen=True)
class Edge:
    """Of an arm's runs at all budgets: how many keep the last epoch, of how many, and how many the largest learning rate tried."""

    runs: int
    last: int
    epochs: int
    fastest: int


@dataclass(frozen=True)
class OnTask:
    """On one task: the network without adapters, all adapters trained directly, and what holds at each budget. ``angles``: the published
    generator with its angles minus the same without; ``to_all``: photons, and the published generator, minus all adapters; ``gains``: where
    the network without adapters was trained, too (its head), all adapters minus that, then photons at each budget. ``below``:
    where it is one run, the photons at the largest budget minus its number, and all adapters minus it. ``edges``: by arm, those that keep
    an end of what was tried.
    """

    task: Task
    untouched: Summary
    ceiling: Summary
    budgets: list[AtBudget]
    angles: list[Any]
    to_all: list[Any]
    gains: list[tuple[str, int, Summary]]
    below: tuple[Summary, Summary] | None
    edges: dict[str, Edge]


@dataclass(frozen=True)
class Facts:
    """The tasks that were run. ``pretrained``: nats a token of the frozen network on texts like those it was pretrained on, and on those
    that it is adapted to; None where it was not pretrained.
    """

    labels: dict[str, str]
    pretrained: tuple[float, float] | None
    tasks: list[OnTask]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    language = results.of("adapters_language")
    language = language[language.living_nats.notna()] if "living_nats" in language else language.iloc[:0]
    pretrained = (float(language.other_nats.iloc[0]), float(language.living_nats.iloc[0])) if len(language) else None
    found = [on_task(results, task) for task in TASKS]
    return Facts(LABELS, pretrained, [on for on in found if on.untouched.n or on.ceiling.n or on.budgets])


def edges(runs: pd.DataFrame, task: Task) -> dict[str, Edge]:
    """Of each arm of a task that keeps the last epoch or the largest learning rate in a run or more."""
    found = {}
    for arm in LABELS:
        own = pd.concat([task.of_arm(runs, arm, budget) for budget in task.budgets])
        if len(own) and {"learning_rate", "epoch"} <= set(own):
            tried = own["schedule.learning_rates"].map(lambda rates: max(json.loads(rates)))
            last, fastest = (own.epoch == own.epochs).sum(), (own.learning_rate == tried).sum()
            found[arm] = Edge(len(own), int(last), int(own.epochs.max()), int(fastest))
    return {arm: edge for arm, edge in found.items() if edge.last or edge.fastest}


def on_task(results: Results, task: Task) -> OnTask:
    """What was found on a task."""
    runs, told = results.runs, list(secondary(results.runs, task).itertuples())
    untouched, largest = summarise(task.without_adapters(runs).get(task.value, [])), task.of_arm(runs, PHOTONIC, task.budgets[-1])
    whole = task.of_arm(runs, "lora", task.all_numbers)
    beside_one = untouched.n == 1 and len(largest) and len(whole)
    return OnTask(
        task,
        untouched,
        summarise(whole.get(task.value, [])),
        [found for budget in task.budgets if (found := at_budget(results, task, budget)) is not None],
        [row for row in told if (row.arm, row.minus) == ("affine-angles", "affine")],
        [row for row in told if row.minus_budget == task.all_numbers],
        gains(results.runs, task),
        (summarise(largest[task.value] - untouched.mean), summarise(whole[task.value] - untouched.mean)) if beside_one else None,
        edges(results.runs, task),
    )


def gains(runs: pd.DataFrame, task: Task) -> list[tuple[str, int, Summary]]:
    """What adapters bring over none, paired by seed: arm, budget and difference; nothing where none has no seeds to pair with."""
    untouched = task.without_adapters(runs)
    asked = [("lora", task.all_numbers), *((PHOTONIC, budget) for budget in task.budgets)] if len(untouched) > 1 else []
    found = [(arm, budget, task.of_arm(runs, arm, budget)) for arm, budget in asked]
    return [(arm, budget, paired_by_seed(own, untouched, task.value)[0]) for arm, budget, own in found if len(own)]


def at_budget(results: Results, task: Task, budget: int) -> AtBudget | None:
    """What holds at a budget; None where the photons were not run."""
    runs = {arm: own for arm in LABELS if len(own := task.of_arm(results.runs, arm, budget))}
    if PHOTONIC not in runs:
        return None
    means, used = {arm: summarise(own[task.value]) for arm, own in runs.items()}, {arm: task.used(own) for arm, own in runs.items()}
    best = max(means, key=lambda arm: task.better * means[arm].mean)
    contrasts = [row for row in differences(results.runs, task).itertuples() if row.budget == budget]
    lora = next((row for row in contrasts if row.minus == "lora" and row.n > 1), None)
    return AtBudget(budget, 100 * budget / task.all_numbers, used, means[PHOTONIC], (best, means[best]), contrasts, lora)
