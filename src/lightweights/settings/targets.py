"""Names of the workflow's own targets, which no experiment and no chapter can have: read from the rules themselves."""

import re
from pathlib import Path

_RULE = re.compile(r"^\s*(?:rule|checkpoint|use\s+rule\s+\w+\s+as)\s+(\w+)(?:\s+with)?\s*:", re.MULTILINE)


def targets_of_rules(root: Path = Path()) -> set[str]:
    """Names of all rules in the workflow's files; none where there is no workflow."""
    files = [file for file in (root / "Snakefile", *sorted((root / "workflow/rules").glob("*.smk"))) if file.is_file()]
    return {name for file in files for name in _RULE.findall(file.read_text())}
