"""Differences between arms, paired by seed, on both tasks, and the words of the analysis plan."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from lightweights.report.comparisons import with_words
from lightweights.report.measures import NOTHING
from lightweights.report.statistics import Summary, one_sided, paired_by_seed, tost

PHOTONIC = "photonic"
LABELS = {
    "photonic": "photons",
    "mps-only": "mapping alone",
    "product-free": "free product vectors",
    "classical-light": "classical light",
    "distinguishable": "distinguishable photons",
    "photonic-frozen": "frozen photons",
    "gaussian-fixed": "fixed random numbers",
    "lora": "LoRA",
    "subspace": "random subspace",
    "vera": "VeRA",
    "low-rank": "low rank",
    "affine": "QPA's map without angles",
    "affine-angles": "QPA's map with angles",
}
"""What the arms are called, in the order of tables."""
PRIMARY = ("mps-only", "lora", "subspace")
"""What the plan subtracts from the photons."""


@dataclass(frozen=True)
class Task:
    """What is adapted to, and how arms are compared on it.

    Attributes:
        words: What it is called.
        value: The column that arms are compared by.
        better: -1 where less is better, 1 where more is.
        margin: Within which two arms count as equivalent, and by which an arm may be worse and yet not inferior.
        budgets: Of trained numbers.
        all_numbers: Of all adapters.
        head: Numbers of the task's head, which every arm trains besides its budget.
        experiments: Whose variants are the arms.
        ceiling: The experiment that trains all adapters directly.
        untouched: The experiment without adapters.
    """

    words: str
    value: str
    better: int
    margin: float
    budgets: tuple[int, ...]
    all_numbers: int
    head: int
    experiments: tuple[str, ...]
    ceiling: str
    untouched: str

    def of_arm(self, runs: pd.DataFrame, arm: str, budget: int) -> pd.DataFrame:
        """The runs of an arm at a budget, by seed; none where it was not run. The budget of all numbers is the ceiling's."""
        if "adapter.arm" not in runs or self.value not in runs:
            return runs.iloc[:0]
        if budget == self.all_numbers:
            own = runs[(runs.experiment == self.ceiling) & (runs["adapter.arm"] == arm)]
        else:
            own = runs[runs.experiment.isin(self.experiments) & (runs["adapter.arm"] == arm) & (runs["adapter.budget"] == budget)]
        return own.sort_values("seed")

    def without_adapters(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The runs of the network as it was."""
        return runs[runs.experiment == self.untouched] if self.value in runs else runs.iloc[:0]

    def used(self, own: pd.DataFrame) -> int:
        """Trained numbers in use of an arm's runs, without the head's: at most the budget, as arms come in sizes of their own."""
        return int(own.parameters_trained_used.max()) - self.head

    def worst(self, found: Summary) -> float:
        """The one-sided 95 % bound of a difference on the side where the first arm is worse."""
        low, high = one_sided(found)
        return high if self.better < 0 else low

    def not_inferior(self, found: Summary) -> bool:
        """Whether the first arm is worse by less than the margin, with 95 % confidence."""
        return -self.better * self.worst(found) < self.margin


NEXT_TOKEN = Task(
    "next token",
    "test_nats",
    -1,
    0.02,
    (512, 1376, 4264),
    8192,
    0,
    ("adapters_primary", "adapters_published", "adapters_controls"),
    "adapters_ceiling",
    "adapters_frozen",
)
CLASSES = Task(
    "classes",
    "test_accuracy_percent",
    1,
    1.0,
    (768, 1536, 3198),
    6144,
    10_010,
    ("adapters_minilm",),
    "adapters_minilm_ceiling",
    "adapters_minilm_head",
)
TASKS = (NEXT_TOKEN, CLASSES)


@dataclass(frozen=True)
class Contrast:
    """One arm minus another, each with its budget."""

    arm: str
    minus: str
    budget: int
    minus_budget: int


def primary_contrasts(task: Task) -> list[Contrast]:
    """The plan's."""
    return [Contrast(PHOTONIC, other, budget, budget) for budget in task.budgets for other in PRIMARY]


def other_contrasts(task: Task) -> list[Contrast]:
    """Told with intervals, without words: the other controls, the published generator's angles, and all adapters trained directly."""
    others = [arm for arm in LABELS if arm not in (PHOTONIC, *PRIMARY)]
    return [
        *(Contrast(PHOTONIC, other, budget, budget) for budget in task.budgets for other in others),
        *(Contrast("affine-angles", "affine", budget, budget) for budget in task.budgets),
        *(Contrast(arm, "lora", budget, task.all_numbers) for arm in (PHOTONIC, "affine-angles") for budget in task.budgets),
    ]


def differences(runs: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The plan's contrasts on a task, a row each that has pairs: Holm's correction runs over all of them."""
    table = _rows(runs, task, primary_contrasts(task))
    return with_words(table) if len(table) else table.assign(p_holm=[], word=[])


def secondary(runs: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Contrasts that the plan does not name, with intervals alone."""
    return _rows(runs, task, other_contrasts(task)).assign(p_holm=math.nan, word=NOTHING)


def paired(runs: pd.DataFrame, task: Task, contrast: Contrast) -> tuple[Summary, float]:
    """A contrast over the seeds that both arms have, and p of the paired t test."""
    one, other = task.of_arm(runs, contrast.arm, contrast.budget), task.of_arm(runs, contrast.minus, contrast.minus_budget)
    if one.empty or other.empty:
        return Summary(0, math.nan, math.nan, math.nan, math.nan), math.nan
    return paired_by_seed(one, other, task.value)


def _rows(runs: pd.DataFrame, task: Task, contrasts: Iterable[Contrast]) -> pd.DataFrame:
    rows = []
    for contrast in contrasts:
        found, p = paired(runs, task, contrast)
        if found.n:
            row = {"task": task.words, "budget": contrast.budget, "arm": contrast.arm, "minus": contrast.minus}
            row |= {"minus_budget": contrast.minus_budget, "quantity": task.value, **found.columns(), "worst": task.worst(found)}
            row |= {"not_inferior": task.not_inferior(found), "p": p, "p_equivalence": tost(found, task.margin)}
            rows.append(row)
    columns = ["task", "budget", "arm", "minus", "minus_budget", "quantity", "n", "mean", "sd_ddof1", "ci95_low", "ci95_high", "worst"]
    return pd.DataFrame(rows, columns=[*columns, "not_inferior", "p", "p_equivalence"])
