"""Tiny runs with recorded numbers: what a run computes must not change without a new version of the method's numerics."""

import json
from pathlib import Path

import pytest
from golden.record import HERE, NAMES, numbers, run_of

from lightweights.settings.runs import kinds

TOLERANCE = 1e-4  # other processors round otherwise; a change of method shows more


def changed(name: str, what: str) -> str:
    method = run_of(name).settings.method
    return (
        f"golden run {name}: {what}. Numbers changed: raise the version of {kinds()[method].__name__} "
        "(and numerics_version where experiments say it) and record anew with `python tests/golden/record.py`"
    )


@pytest.mark.parametrize("name", NAMES)
def test_tiny_runs_give_the_recorded_numbers(name: str) -> None:
    recorded = json.loads((HERE / f"{name}.json").read_text())
    method = run_of(name).settings.method
    current = kinds()[method].version
    assert recorded["method"] == method
    version = recorded["numerics_version"]
    if version != current:
        pytest.fail(
            f"golden run {name} was recorded with version {version} of {method}, the code computes version {current}: "
            "record anew with `python tests/golden/record.py`"
        )
    found = numbers(name)
    assert found["parameters"] == recorded["parameters"], changed(name, "other parameter counts")
    assert set(found["final"]) == set(recorded["final"]), changed(name, "other metrics")
    for metric, value in recorded["final"].items():
        one_image = 100 / 30  # of the smallest split
        close = pytest.approx(value, rel=TOLERANCE, abs=one_image if metric.endswith("_percent") else TOLERANCE)
        assert found["final"][metric] == close, changed(name, f"{metric} is {found['final'][metric]}, recorded {value}")
    for column, values in recorded["history"].items():
        assert found["history"][column] == pytest.approx(values, rel=TOLERANCE), changed(name, f"{column} is {found['history'][column]}")


def test_each_method_has_a_golden_run() -> None:
    assert {run_of(name).settings.method for name in NAMES} == {
        name for name, kind in kinds().items() if kind.trainer.startswith("lightweights.")
    }
    assert {file.stem for file in Path(HERE).glob("*.json")} == set(NAMES)
