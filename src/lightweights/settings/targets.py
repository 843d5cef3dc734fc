"""Names of the workflow's own targets, which no experiment and no chapter can have: read from the rules themselves."""

import re
from collections.abc import Iterable
from pathlib import Path

_RULE = re.compile(r"^\s*(?:rule|checkpoint|use\s+rule\s+\w+\s+as)\s+(\w+)(?:\s+with)?\s*:", re.MULTILINE)
_MADE = re.compile(r"(draw|train_together)_.+|score_claims")
"""Rules that the workflow names as it is read: one a chapter, and one for runs that share a process."""


def taken_by_rules(names: Iterable[str]) -> list[str]:
    """Those of the names that a rule has or can come to have; none where there is no workflow."""
    rules = targets_of_rules()
    return sorted(name for name in names if rules and (name in rules or _MADE.fullmatch(name)))


def targets_of_rules(root: Path = Path()) -> set[str]:
    """Names of the rules that stand in the workflow's files; none where there is no workflow."""
    files = [file for file in (root / "Snakefile", *sorted((root / "workflow/rules").glob("*.smk"))) if file.is_file()]
    return {name for file in files for name in _RULE.findall(file.read_text())}
