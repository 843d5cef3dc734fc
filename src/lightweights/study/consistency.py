"""A run's files against each other: metrics.json against the history, history and model by their digests, runs.csv against the runs."""

import csv
import hashlib
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from lightweights.errors import LightweightsError
from lightweights.files import read_bytes, read_json
from lightweights.settings.base import shortened
from lightweights.settings.runs import Run
from lightweights.study.collect import key_of_row, lacks_model, read_runs, unnumbered
from lightweights.study.csv_text import to_csv
from lightweights.study.execute import LAST
from lightweights.study.findings import Findings
from lightweights.study.history import LARGEST_HISTORY
from lightweights.study.layout import history_file, metrics_file, model_file, weights_file
from lightweights.study.models import LARGEST, NoModelError, found_model, place_of, read_landed, read_model

SAME = 1e-12
"""Relative: a parser of numbers may round the last digit otherwise."""


def check_run(run: Run, results: Path, findings: Findings) -> None:
    """One run that is there."""
    path = metrics_file(run, results)
    try:
        metrics = read_json(path)
        origin, final, last10 = dict(metrics["provenance"]), _numbers(metrics["final"]), _numbers(metrics["last10"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        findings.wrong.append(f"{path}: it is not what a run writes ({shortened(str(error))})")
        return
    if "model" in metrics and "history_sha256" not in origin:  # both have been written since runs keep their models
        findings.wrong.append(f"{path}: provenance.history_sha256 is missing, the digest of history.csv")
        return
    check_history(run, origin.get("history_sha256"), final, last10, results, findings)
    check_model(run, metrics, results, findings)


def _numbers(tree: dict[str, Any]) -> dict[str, float]:
    for name, value in tree.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} is no number")
    return dict(tree)


def check_history(
    run: Run, digest: str | None, final: dict[str, float], last10: dict[str, float], results: Path, findings: Findings
) -> None:
    """A history by its digest, for wholeness, and against what metrics.json says of it; what is wrong is said once."""
    path = history_file(run, results)
    try:
        content = read_bytes(path, LARGEST_HISTORY)
        history = pd.read_csv(io.BytesIO(content))
    except (OSError, ValueError) as error:
        findings.wrong.append(f"{path}: it cannot be read ({shortened(str(error))})")
        return
    unit = next((name for name in history.columns if name in ("round", "epoch")), "round")  # some tell the kept epoch of each round
    if problem := unnumbered(history, unit, run.settings.steps):
        findings.wrong.append(f"{path}: {problem}")
    elif digest not in (None, found := hashlib.sha256(content).hexdigest()):
        findings.wrong.append(f"{path}: SHA-256 {found}, but metrics.json has {digest}")
    elif said := told_otherwise(final, last10, history, keeps_another_row(run, last10)):
        findings.wrong.append(f"{metrics_file(run, results)}: {said}")
    if digest is None:
        findings.undigested("histories")
    findings.count("runs against their histories")


def keeps_another_row(run: Run, last10: dict[str, float]) -> bool:
    """Whether a run may report another row than its last: that of its best state."""
    return getattr(run.settings.schedule, "keep", None) == "best" or not last10


def told_otherwise(final: dict[str, float], last10: dict[str, float], history: pd.DataFrame, any_row: bool) -> str:
    """What metrics.json says and the history does not; empty where all of it is there."""
    for name in [*final, *last10]:
        if name not in history or not pd.api.types.is_numeric_dtype(history[name]):
            return f"{name} is no column of numbers in history.csv"
    rows = history.loc[:, list(final)] if any_row else history.loc[:, list(final)].tail(1)
    same = np.isclose(rows.to_numpy(dtype=float), list(final.values()), rtol=SAME, atol=0)
    if final and not same.all(axis=1).any():
        last = history.iloc[-1]
        name = next((name for name, value in final.items() if not math.isclose(value, last[name], rel_tol=SAME)), next(iter(final)))
        return f"final.{name} is {final[name]}, history.csv ends with {last[name]}"
    for name, value in last10.items():
        mean = float(history[name].tail(LAST).mean())
        if not math.isclose(value, mean, rel_tol=1e-9, abs_tol=1e-12):
            return f"last10.{name} is {value}, the mean of the history's last {LAST} rows is {mean}"
    return ""


def check_model(run: Run, metrics: dict[str, Any], results: Path, findings: Findings) -> None:
    """The model of a run by its digest; weights of runs that were landed without one by theirs."""
    if "model" in metrics:
        try:
            read_model(read_landed(metrics_file(run, results).parent))
            findings.count("models")
        except NoModelError:
            if metrics["model"].get("numbers"):
                findings.absent.append(str(place_of(run, int(metrics["model"].get("bytes", 0)), results)))
        except LightweightsError as error:
            findings.wrong.append(str(error))
        check_places(run, metrics["model"].get("sha256"), results, findings)
        return
    path = model_file(run, results)
    if path.is_file():
        findings.wrong.append(f"{path}: of another run or study, as metrics.json tells of no model")
    path = weights_file(run, results)
    if not path.is_file():
        if lacks_model(metrics):
            findings.without_model.append(run.experiment)
        return
    try:
        expected = metrics["provenance"].get("weights_sha256")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        with safe_open(path, framework="numpy"):
            pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        findings.wrong.append(f"{path}: not the weights of a run ({error})")
        return
    if expected is None:
        findings.undigested("files of weights")
    elif expected != found:
        findings.wrong.append(f"{path}: SHA-256 {found}, but metrics.json has {expected}")
    findings.count("files of weights")


def check_places(run: Run, told: str | None, results: Path, findings: Findings) -> None:
    """Where a run's model may lie there is nothing else, such as that of another study."""
    for path in (model_file(run, results), weights_file(run, results)):
        if path.is_file() and path != found_model(run, results):
            digest = hashlib.sha256(read_bytes(path, LARGEST)).hexdigest()
            if digest != told:
                findings.wrong.append(f"{path}: SHA-256 {digest}, of another run or study, as metrics.json has {told}")


def check_collected(runs: pd.DataFrame, path: Path, findings: Findings) -> None:
    """runs.csv against what collecting the runs gives now."""
    if not path.is_file():
        return
    text = to_csv(runs)
    try:
        if path.read_text() == text:
            findings.count("rows of runs.csv", len(runs))
            return
        written = read_runs(path)
        mine, theirs = ({key_of_row(row): row for row in table.itertuples()} for table in (written, runs))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, LightweightsError) as error:
        findings.wrong.append(f"{path}: not the collected runs ({str(error).splitlines()[0]}); `snakemake --cores 1 summary` makes it")
        return
    new = [key for key in theirs if key not in mine]
    if new:
        findings.unrecorded.append(
            f"{path}: {len(new)} runs have landed since, {new[0]} first; `snakemake --cores 1 summary` takes them up"
        )
    for key in mine:
        if key not in theirs:
            findings.wrong.append(f"{path}: {key} is no run that is there")
            return
    shared = [name for name in written if name in runs]
    lines = {
        name: dict(zip(map(key_of_row, table.itertuples()), list(csv.reader(io.StringIO(to_csv(table[shared]))))[1:], strict=True))
        for name, table in (("written", written), ("runs", runs))
    }
    for key, line in lines["written"].items():
        if line != lines["runs"][key]:
            findings.wrong.append(f"{path}: the row of {key} is not what its metrics.json says")
            return
    if not new and set(written) != set(runs):
        findings.wrong.append(f"{path}: its columns are not those that collecting gives")
