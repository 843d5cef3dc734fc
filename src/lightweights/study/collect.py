"""From finished runs to one tidy table: exactly the runs that the current settings ask for, one row each."""

import io
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from lightweights.errors import LightweightsError
from lightweights.files import read_bytes, read_json, write_atomic
from lightweights.settings.data_sets import DATA_SETS
from lightweights.settings.runs import Run, RunSettings
from lightweights.settings.study import Study
from lightweights.study.csv_text import to_csv
from lightweights.study.history import LARGEST_HISTORY, history_rows
from lightweights.study.layout import folder_of_row, history_file, key_of_row, metrics_file, study_folder

SHORT_NAMES = {
    "dataset.name": "dataset",
    "network.name": "network",
    "mapping.bond_dim": "bond_dim",
    "photonics.arm": "arm",
    "schedule.protocol": "protocol",
    "schedule.rounds": "rounds",
    "schedule.mapping_epochs": "mapping_epochs",
    "schedule.epochs": "epochs",
}
"""Settings that are always columns of runs.csv, and what they are called there."""

PROVENANCE = ("wall_seconds", "host", "device", "threads", "commit", "data_sha256")
IDENTITY = ["experiment", "variant", "seed"]
TEXT = ("experiment", "variant", "method", "dataset", "network", "arm", "protocol", "host", "device", "commit", "data_sha256")
TEST_SETS = {name: known.tests for name, known in DATA_SETS.items()}
"""Test sets by data set, the one of the publication first; a data set that is not listed has one, called test."""

LARGEST_RUNS = 2**28
"""Bytes; ten thousand runs have ten million."""

_SHOWN = 5


class CollectError(LightweightsError):
    """Runs that cannot be used: missing, unreadable, or made with other settings; names them and the remedy. ``runs``: their keys, where
    each is at fault by itself.
    """

    def __init__(self, message: str, runs: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.runs = tuple(runs)


class _Provenance(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    wall_seconds: FiniteFloat | None = None
    threads: int | None = Field(None, ge=1, le=100_000)
    host: str | None = None
    device: str | None = None
    commit: str | None = None
    data_sha256: str | None = None
    built_sha256: dict[str, str] = {}


class _Metrics(BaseModel):
    model_config = ConfigDict(frozen=True)

    run: dict[str, Any]
    settings: dict[str, Any]
    final: dict[str, FiniteFloat]
    last10: dict[str, FiniteFloat]
    parameters: dict[str, Annotated[int, Field(ge=0, lt=2**63)]]
    photons: dict[str, float] = {}
    provenance: _Provenance


def flatten(settings: RunSettings | dict[str, Any]) -> dict[str, Any]:
    """Settings by dotted path, for example ``schedule.rounds``; lists become JSON text, what a method has not is left out."""
    return dict(_leaves(settings if isinstance(settings, dict) else settings.model_dump(mode="json")))


def _leaves(tree: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Pairs of :func:`flatten`, one by one: in a file that is not ours, all paths together may be far larger than the file."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{before}{key}.")
        elif value is not None and value != {}:
            yield before + key, json.dumps(value) if isinstance(value, list) else value


def reported_test_sets(runs: pd.DataFrame) -> list[str]:
    """Names of the test sets that the runs report on, the one of the publication first. Validation images are none, and what only runs
    without a generalisation error are tested on, such as those of distillation, counts where there are no others.
    """
    names = [c.removesuffix("_accuracy_percent") for c in runs.columns if c.endswith("_accuracy_percent")]
    names = [name for name in names if name not in ("train", "validation") and not name.startswith(("last10_", "photons_"))]
    return [name for name in names if (error := f"{name}_generalisation_error") in runs and runs[error].notna().any()] or names


def collect(study: Study, results: Path, partial: bool = False) -> pd.DataFrame:
    """One row for every run that ``study`` asks for, in its order.

    Args:
        study: The settings; they decide which runs are read, whatever else lies in the folder.
        results: Folder of all studies' results; the runs lie in ``results/<study>/runs``.
        partial: Leave out runs that are not there yet. Unreadable runs and runs with other settings stay errors.

    Raises:
        CollectError: Missing, unreadable or foreign runs, or runs of one data set on different data.
    """
    asked = study.runs()
    wanted: dict[str, dict[str, Any]] = {}
    for run in asked:
        key = f"{run.experiment}/{run.variant}"
        if key not in wanted:
            wanted[key] = flatten(run.settings)
    varied = _varied(list(wanted.values()))

    rows: list[dict[str, Any]] = []
    missing: list[str] = []
    wrong: dict[str, str] = {}
    built: dict[str, dict[str, str]] = {}
    for run in asked:
        flat = wanted[f"{run.experiment}/{run.variant}"]
        path = metrics_file(run, results)
        try:
            metrics = _Metrics.model_validate(read_json(path))
        except FileNotFoundError:
            missing.append(run.key)
            continue
        except (ValueError, OSError) as error:
            wrong[run.key] = f"{path} cannot be read ({_first_line(error)})"
            continue
        problem = _foreign(run, flat, metrics) or _short(run, results)
        if problem:
            wrong[run.key] = problem
        else:
            rows.append(_row(run, flat, varied, metrics))
            _note_built(built, run, metrics)
    where = study_folder(study.study.name, results) / "runs"
    if wrong:
        raise CollectError(
            f"{len(wrong)} of {len(asked)} runs in {where} cannot be used: "
            f"{_some([f'{key}: {problem}' for key, problem in wrong.items()], '; ')}. "
            "Delete their folders and run `snakemake --cores N`, or go back to the settings that made them.",
            wrong,
        )
    if missing and not partial:
        raise CollectError(
            f"{len(missing)} of {len(asked)} runs are missing in {where}: {_some(missing, ', ')}. Run `snakemake --cores N` to make them."
        )
    table = _typed(pd.DataFrame(rows, columns=_columns(study, varied, rows)))
    _check_data(table, where)
    _check_built(built, where)
    return table


def lacks_model(metrics: Mapping[str, Any]) -> bool:
    """Whether a run with this metrics.json trained a network and was landed without its model. Kernels and cuts have none to lack."""
    return "model" not in metrics and bool((metrics.get("parameters") or {}).get("target"))


def read_histories(study_name: str, runs: pd.DataFrame, results: Path) -> pd.DataFrame:
    """The histories of all runs below each other: columns experiment, variant, seed, then those of history.csv."""
    parts, lengths = [], []
    for run in runs[[*IDENTITY, "rounds", "epochs"]].itertuples(index=False):
        path, unit = folder_of_row(study_name, run, results) / "history.csv", "epoch" if pd.isna(run.rounds) else "round"
        try:
            part = pd.read_csv(io.BytesIO(read_bytes(path, LARGEST_HISTORY)))
            problem = unnumbered(part, unit, run.epochs if unit == "epoch" else run.rounds)
        except (OSError, ValueError) as error:
            problem = f"it cannot be read ({_first_line(error)})"
        if problem:
            raise CollectError(f"{path}: {problem}. Delete the run's folder and run `snakemake --cores N`.", [key_of_row(run)])
        parts.append(part)
        lengths.append(len(part))
    if not parts:
        return pd.DataFrame(columns=IDENTITY)
    identity = runs[IDENTITY].loc[runs.index.repeat(lengths)].reset_index(drop=True)
    return pd.concat([identity, pd.concat(parts, ignore_index=True)], axis=1)


def unnumbered(history: pd.DataFrame, unit: str, length: int) -> str:
    """Says that a history has not a row for each round or epoch, numbered from 1; empty where it has."""
    found = history[unit].to_numpy() if unit in history else np.empty(0)
    if np.array_equal(found, np.arange(1, length + 1)):
        return ""
    return f"it has {len(found)} rows with a number of the {unit}; {length} are expected, numbered from 1"


def write_runs(runs: pd.DataFrame, path: Path) -> None:
    """Write runs.csv."""
    write_atomic(path, to_csv(runs))


def read_runs(path: Path) -> pd.DataFrame:
    """runs.csv as :func:`collect` returned it, column types included. Raises CollectError where it is damaged."""
    remedy = "Delete it and run `snakemake --cores N`: it is collected anew, and nothing is trained"
    try:
        content = io.BytesIO(read_bytes(path, LARGEST_RUNS))
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):  # a row longer than the header would be cut
            table = pd.read_csv(
                content, dtype=dict.fromkeys(TEXT, "str"), keep_default_na=False, na_values=[""], index_col=False, low_memory=False
            )
        table = _typed(table)
    except MemoryError:
        raise
    except Exception as error:  # pandas and its parsers raise many kinds
        raise CollectError(f"{path} cannot be read ({type(error).__name__}: {_first_line(error)}). {remedy}.") from None
    missing = [name for name in (*IDENTITY, "method", "dataset", *PROVENANCE) if name not in table]
    if missing or table[IDENTITY].isna().any(axis=None) or table.duplicated(IDENTITY).any():
        what = f"has no column {missing[0]}" if missing else "has a run without a name, or one twice"
        raise CollectError(f"{path} {what}. {remedy}.")
    return table


def _varied(settings: list[dict[str, Any]]) -> list[str]:
    """Paths whose value differs between runs that have the setting at all, besides those with a column anyway."""
    values: dict[str, set[Any]] = {}
    for flat in settings:
        for path, value in flat.items():
            values.setdefault(path, set()).add(value)
    return [path for path, seen in values.items() if len(seen) > 1 and path not in SHORT_NAMES and path != "method"]


def _row(run: Run, flat: dict[str, Any], varied: list[str], metrics: _Metrics) -> dict[str, Any]:
    row: dict[str, Any] = {"experiment": run.experiment, "variant": run.variant, "seed": run.seed, "method": run.settings.method}
    row.update({column: flat.get(path) for path, column in SHORT_NAMES.items()})
    row.update({path: flat.get(path) for path in varied})
    row.update(metrics.final)
    row.update({f"last10_{name}": value for name, value in metrics.last10.items()})
    row.update({f"parameters_{name}": value for name, value in metrics.parameters.items()})
    row.update({f"photons_{name}": value for name, value in metrics.photons.items()})
    row.update({name: getattr(metrics.provenance, name) for name in PROVENANCE})
    return row


def _columns(study: Study, varied: list[str], rows: list[dict[str, Any]]) -> list[str]:
    """Columns in a fixed order, those that some run adds at the place where its neighbours are."""
    sets = TEST_SETS.get(study.dataset.name, ("test",))
    final = ["train_accuracy_percent", "train_cross_entropy"]
    final += [f"{name}_{quantity}" for name in sets for quantity in ("accuracy_percent", "cross_entropy", "generalisation_error")]
    seen = dict.fromkeys(name for row in rows for name in row)
    extra = [name for name in seen if name not in final and not name.startswith(("last10_", "parameters_", "photons_"))]
    front = [*IDENTITY, "method", *SHORT_NAMES.values(), *varied]
    final += [name for name in extra if name not in front and name not in PROVENANCE]
    last10 = [f"last10_{name}" for name in final]
    last10 += [name for name in seen if name.startswith("last10_") and name not in last10]
    kinds = ("target", "mapping", "phases_published", "phases_used", "phases_effective")
    kinds += ("trained_published", "trained_used", "trained_effective")
    parameters = [f"parameters_{kind}" for kind in kinds]
    parameters += [name for name in seen if name.startswith("parameters_") and name not in parameters]
    photons = [name for name in seen if name.startswith("photons_")]
    return [*front, *final, *last10, *parameters, *photons, *PROVENANCE]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Counts as integers that may be missing, so that a 4 never turns into 4.0; results as floats, names as text."""
    types: dict[str, Any] = {}
    for column in table.columns:
        if column in TEXT:
            types[column] = "str"
        elif column in ("seed", "bond_dim", "rounds", "mapping_epochs", "epochs", "threads") or column.startswith("parameters_"):
            types[column] = "Int64"
        elif (
            column == "wall_seconds"
            or column.startswith("photons_")
            or column.endswith(("_percent", "_cross_entropy", "_generalisation_error"))
        ):
            types[column] = "float64"
        elif "." in column:
            text = pd.api.types.infer_dtype(table[column], skipna=True) in ("string", "mixed", "mixed-integer")
            types[column] = "str" if text else table[column].convert_dtypes().dtype
    return table.astype(types)


def _foreign(run: Run, wanted: dict[str, Any], metrics: _Metrics) -> str:
    """What makes a run one that was not asked for; empty if nothing does."""
    for name in ("study", *IDENTITY):
        if metrics.run.get(name) != getattr(run, name):
            return f"its metrics.json belongs to {name} {metrics.run.get(name)!r}, not {getattr(run, name)!r}"
    missing = dict(wanted)
    for path, value in _leaves(metrics.settings):
        if missing.pop(path, None) != value:
            return f"made with {path:.100} = {value!r:.100}, asked for is {wanted.get(path)!r}"
    for path, value in missing.items():
        return f"made with {path} = None, asked for is {value!r}"
    return ""


def _short(run: Run, results: Path) -> str:
    """What is wrong with the length of a run's history; empty if nothing is. A loss of power may leave a name without content."""
    rows = history_rows(history_file(run, results))
    if rows == run.settings.steps:
        return ""
    return f"its history.csv has {rows} rows, expected {run.settings.steps}" if rows >= 0 else "its history.csv is missing or cut short"


def _check_data(table: pd.DataFrame, where: Path) -> None:
    keys = ["dataset", *(column for column in table.columns if column.startswith("dataset."))]
    for name, group in table.groupby(keys, dropna=False):
        examples = group.drop_duplicates("data_sha256")
        if len(examples) > 1:
            both = " and ".join(f"{key_of_row(r)} ({r.data_sha256})" for r in examples.head(2).itertuples())
            raise CollectError(
                f"runs in {where} were trained on different data of {name[0]}: {both}. "
                "Delete the folders of the runs on the wrong data and run `snakemake --cores N`."
            )


def _note_built(built: dict[str, dict[str, str]], run: Run, metrics: _Metrics) -> None:
    """Keep, by what a factory of the user's own was asked for, the digest of what it built and a run that it built it for."""
    settings = metrics.settings
    for setting, parts in (("network.name", ("network", "dataset")), ("photonics.arm", ("photonics", "network", "dataset"))):
        section, _, name = setting.partition(".")
        named = (settings.get(section) or {}).get(name) or ""
        if ":" in named:
            asked = f"{setting} = {named!r} {json.dumps([settings.get(part) for part in parts], sort_keys=True)}"
            built.setdefault(asked, {}).setdefault(metrics.provenance.built_sha256.get(setting, "none"), run.key)


def _check_built(built: dict[str, dict[str, str]], where: Path) -> None:
    for asked, digests in built.items():
        if len(digests) > 1:
            both = " and ".join(f"{key} ({digest})" for digest, key in list(digests.items())[:2])
            raise CollectError(
                f"runs in {where} have in common {asked.partition(' [')[0]}, but its code built different things: {both}. "
                "Delete the folders of the runs of the wrong code and run `snakemake --cores N`."
            )


def _some(items: Iterable[str], separator: str) -> str:
    items = list(items)
    rest = f"{separator}and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return separator.join(items[:_SHOWN]) + rest


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        item = error.errors()[0]
        return f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
