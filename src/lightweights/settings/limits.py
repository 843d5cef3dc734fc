"""How much settings can ask for: checked before anything is copied or expanded."""

import math
from typing import Any

from lightweights.settings.base import SettingsError

MOST_RUNS, MOST_VALUES, MOST_LEVELS = 100_000, 200_000, 50
"""Runs that a study can have, values that its settings can, and levels of settings within settings."""


def check_values(tree: dict[str, Any], source: str) -> None:
    """Before anything is copied: aliases in a YAML file can ask for more than any memory holds."""
    values, left = 0, [(tree, 0)]
    while left:
        node, level = left.pop()
        values += 1
        if values > MOST_VALUES:
            raise SettingsError(f"{source}: more than {MOST_VALUES:,} values")
        if level > MOST_LEVELS:
            raise SettingsError(f"{source}: more than {MOST_LEVELS} levels of settings within settings")
        if isinstance(node, dict | list | tuple):
            left.extend((value, level + 1) for value in (node.values() if isinstance(node, dict) else node))


def check_runs(tree: dict[str, Any], source: str) -> None:
    """Before anything is expanded: lists to vary over can ask for more than any memory holds, and each variant of a student is compared
    with all variants of its teacher.
    """
    experiments = tree.get("experiments")
    named = {name: one for name, one in experiments.items() if isinstance(one, dict)} if isinstance(experiments, dict) else {}

    def variants(experiment: dict[str, Any]) -> int:
        vary = experiment.get("vary")
        return math.prod(len(values) for values in vary.values() if isinstance(values, list)) if isinstance(vary, dict) else 1

    runs = 0
    for experiment in named.values():
        seeds, teacher = experiment.get("seeds"), experiment.get("teacher")
        compared = variants(named[teacher]) if isinstance(teacher, str) and teacher in named else 1
        runs += variants(experiment) * max(len(seeds) if isinstance(seeds, list) else 1, compared)
    if runs > MOST_RUNS:
        raise SettingsError(
            f"{source}: experiments ask for {runs:,} runs, or comparisons with teachers; a study can have {MOST_RUNS:,}: vary less"
        )
