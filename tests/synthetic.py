"""Run folders with made-up numbers: smooth functions of bond dimension, round and seed, with seeded noise. Nothing here was measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightweights.settings.runs import Run
from lightweights.settings.study import Study, parse_study
from lightweights.study.layout import run_folder


def small_study(
    dataset: str = "mnist-partial",
    seeds: tuple[int, ...] = (0, 1, 2),
    bond_dims: tuple[int, ...] = (1, 4, 10),
    rounds: int = 12,
    protocols: bool = True,
    **changes: Any,
) -> Study:
    """A study of the shape of params.yaml; ``changes`` replace whole sections."""
    tree = {
        "study": {"name": "made-up", "title": "Made-up numbers"},
        "dataset": {"name": dataset},
        "schedules": {"gradient": {"rounds": rounds}, "cobyla": {"rounds": rounds}},
        "experiments": {
            "classical": {"method": "classical", "seeds": list(seeds)},
            "quantum_train": {"method": "quantum_train", "seeds": list(seeds), "vary": {"mapping.bond_dim": list(bond_dims)}},
        },
    }
    if protocols:
        tree["experiments"]["protocols"] = {
            "method": "quantum_train",
            "seeds": list(seeds),
            "override": {"schedule.rounds": 10},
            "vary": {"schedule": ["cobyla", "gradient"]},
        }
    return parse_study(tree | changes)


def fabricate(study: Study, results: Path) -> None:
    """The folders of all runs of a study."""
    for run in study.runs():
        fabricate_run(run, results)


def fabricate_run(run: Run, results: Path) -> Path:
    """metrics.json and history.csv of one run; returns its folder."""
    folder = run_folder(run, results)
    folder.mkdir(parents=True, exist_ok=True)
    history, parameters = _history(run), _parameters(run)
    names = [name for name in history if name.endswith(("_percent", "_entropy", "_error")) and not name.startswith("last_batch")]
    metrics = {
        "run": {"study": run.study, "experiment": run.experiment, "variant": run.variant, "seed": run.seed},
        "settings": run.settings.plain(),
        "final": {name: float(history[name].iloc[-1]) for name in names},
        "last10": {name: float(history[name].tail(10).mean()) for name in names},
        "parameters": parameters,
        "provenance": {
            "commit": "12e4567",
            "dirty": False,
            "versions": {"python": "3.11"},
            "host": "made-up-host",
            "device": "cpu",
            "threads": 1,
            "wall_seconds": 61.5 + run.seed,
            "finished": "2000-01-01T00:00:00+00:00",
            "data_sha256": "0" * 64,
        },
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    history.to_csv(folder / "history.csv", index=False)
    return folder


def change_metrics(folder: Path, section: str, **values: Any) -> None:
    """Replace entries in one section of a run's metrics.json."""
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics[section].update(values)
    path.write_text(json.dumps(metrics))


def _history(run: Run) -> pd.DataFrame:
    settings = run.settings
    noise = np.random.default_rng([run.seed, len(run.variant), settings.mapping.bond_dim if settings.mapping else 0])
    classical = settings.method == "classical"
    length = settings.schedule.epochs if classical else settings.schedule.rounds
    size = 12.0 if classical else settings.mapping.bond_dim
    step = np.arange(1, length + 1)
    floor = 0.02 + 1.1 / size**1.6
    gain = 1.0 if settings.schedule.protocol != "cobyla" else 0.75 if settings.schedule.implementation == "powell" else 0.7
    loss = floor + 2.2 * np.exp(-gain * step / (2 + length / 8)) + abs(noise.normal(0, 0.02 * floor))
    error = 100 * (1 - np.exp(-0.55 * loss))
    rows: dict[str, Any] = {"epoch" if classical else "round": step, "training_loss": loss}
    batch = np.clip(100 - error + noise.normal(0, 1.5, length), 0, 100)
    rows["last_batch_loss"] = loss * np.exp(noise.normal(0, 0.12, length))
    rows["last_batch_accuracy_percent"] = batch
    if not classical:
        rows["phase_loss"] = 0.97 * loss
    rows["train_accuracy_percent"] = 100 - error
    rows["train_cross_entropy"] = loss
    for name, jitter in {"mnist-partial": [("test600", 0.5), ("test10k", 0.15)]}.get(settings.dataset.name, [("test", 0.4)]):
        gap = 0.015 * size * step / length + abs(noise.normal(0, 0.006))
        rows[f"{name}_accuracy_percent"] = 100 - error - 12 * gap + noise.normal(0, jitter, length)
        rows[f"{name}_cross_entropy"] = loss + gap
        rows[f"{name}_generalisation_error"] = gap
    rows["seconds"] = 3.0 * step
    return pd.DataFrame(rows)


def _parameters(run: Run) -> dict[str, int]:
    zero = dict.fromkeys(("mapping", "phases_published", "phases_used", "phases_effective"), 0)
    if run.settings.mapping is None:
        return {"target": 6690, **zero, **dict.fromkeys(("trained_published", "trained_used", "trained_effective"), 6690)}
    mapping = 31 * run.settings.mapping.bond_dim**2
    counts = {"published": 192, "used": 171, "effective": 79 - (run.seed % 2)}
    phases = {f"phases_{kind}": count for kind, count in counts.items()}
    return {"target": 6690, "mapping": mapping, **phases, **{f"trained_{kind}": mapping + count for kind, count in counts.items()}}
