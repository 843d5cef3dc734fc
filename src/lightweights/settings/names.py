"""Names of files and folders that settings give, short enough for every file system."""

import hashlib

LONGEST = 120
"""Characters of a name. Encrypted home folders (eCryptfs) take 143, and a file has an ending, and another while it is written."""


def short_name(name: str, longest: int = LONGEST) -> str:
    """A name as it is, or where that is too long its first parts and a digest of the whole: ``rounds=10,and=1f0c3a9b``. Settings files say
    the rest.
    """
    if len(name) <= longest:
        return name
    end = f",and={hashlib.sha256(name.encode()).hexdigest()[:8]}"
    kept = name[: longest - len(end) + 1]
    return (kept.rpartition(",")[0] or kept[:-1]) + end
