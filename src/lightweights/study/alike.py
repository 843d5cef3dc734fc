"""Whether two texts say the same: words alike, numbers to a tolerance, as processors differ in the last digits of what is computed."""

import math
import re
import subprocess
from pathlib import Path

TOLERANCE = 1e-5
"""Relative difference of two numbers that count as the same."""
SMALLEST = 1e-8
"""Absolute difference of two numbers that count as the same."""
_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
DRAWN_BESIDE = (".png", ".pdf")
"""Pictures that are drawn together with an SVG, whose numbers stand for theirs."""


def alike(first: bytes, second: bytes) -> bool:
    """Whether all words are the same and all numbers are within the tolerance."""
    if first == second:
        return True
    if _NUMBER.split(first) != _NUMBER.split(second):
        return False
    pairs = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True)
    return all(a == b or math.isclose(float(a), float(b), rel_tol=TOLERANCE, abs_tol=SMALLEST) for a, b in pairs)


def held(path: Path) -> bytes | None:
    """What git's last commit has of a file; None where it has none."""
    try:
        return subprocess.run(["git", "show", f"HEAD:./{path.as_posix()}"], capture_output=True, check=True).stdout
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def as_held(path: Path) -> bool:
    """Whether a drawn file says what git's last commit has of it."""
    told = path.with_suffix(".svg") if path.suffix in DRAWN_BESIDE and path.with_suffix(".svg").is_file() else path
    before = held(told)
    return before is not None and alike(before, told.read_bytes())
