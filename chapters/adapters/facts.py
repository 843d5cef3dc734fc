"""What the adapters found, as numbers."""

from dataclasses import dataclass
from typing import Any

from lightweights.report.comparisons import DIFFERS, EQUIVALENT
from lightweights.report.results import Results
from lightweights.report.statistics import Summary, summarise

from .comparisons import BUDGETS, CEILING, LABELS, MARGIN, PHOTONIC, VALUE, differences, of_arm, secondary


@dataclass(frozen=True)
class AtBudget:
    """At one budget: the photons, the arm with the smallest mean, and the plan's contrasts."""

    budget: int
    percent: float
    photons: Summary
    best: tuple[str, Summary]
    contrasts: list[Any]
    not_inferior: bool | None
    """Whether the photons are not inferior to LoRA of as many numbers; None where that was not run."""


@dataclass(frozen=True)
class Facts:
    """What was not run is empty or None.

    ``pretrained``: nats a token of the frozen network on texts like those it was pretrained on, and on those that it is adapted to.
    ``angles``: QPA's map with its angles minus the map without; ``ceiling_gap``: photons, and QPA's map, minus LoRA with all numbers.
    """

    value: str
    margin: float
    ceiling_numbers: int
    words: tuple[str, str]
    labels: dict[str, str]
    pretrained: tuple[float, float] | None
    frozen: float | None
    ceiling: Summary
    budgets: list[AtBudget]
    angles: list[Any]
    ceiling_gap: list[Any]


def facts(results: Results) -> Facts:
    """The facts of the chapter."""
    runs, told = results.runs, list(secondary(results.runs).itertuples())
    language, frozen = results.of("adapters_language"), results.of("adapters_frozen")
    return Facts(
        value=VALUE,
        margin=MARGIN,
        ceiling_numbers=CEILING,
        words=(DIFFERS, EQUIVALENT),
        labels=LABELS,
        pretrained=(float(language.other_nats.iloc[0]), float(language.living_nats.iloc[0])) if len(language) else None,
        frozen=float(frozen[VALUE].iloc[0]) if len(frozen) else None,
        ceiling=summarise(of_arm(runs, "lora", CEILING).get(VALUE, [])),
        budgets=[found for budget in BUDGETS if (found := at_budget(results, budget)) is not None],
        angles=[row for row in told if row.minus == "affine" and row.arm == "affine-angles"],
        ceiling_gap=[row for row in told if row.minus_budget == CEILING],
    )


def at_budget(results: Results, budget: int) -> AtBudget | None:
    """What holds at a budget; None where the photons were not run."""
    means = {arm: summarise(own[VALUE]) for arm in LABELS if len(own := of_arm(results.runs, arm, budget))}
    if PHOTONIC not in means:
        return None
    best = min(means, key=lambda arm: means[arm].mean)
    contrasts = [row for row in differences(results.runs).itertuples() if row.budget == budget]
    lora = [row for row in contrasts if row.minus == "lora" and row.n > 1]
    not_inferior = bool(lora[0].highest < MARGIN) if lora else None
    return AtBudget(budget, 100 * budget / CEILING, means[PHOTONIC], (best, means[best]), contrasts, not_inferior)
