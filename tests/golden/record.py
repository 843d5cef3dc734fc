"""Tiny runs whose numbers are kept: python tests/golden/record.py writes them anew."""

import json
import sys
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from conftest import tiny_dataset  # noqa: E402

from lightweights.methods.distillation import new_teacher  # noqa: E402
from lightweights.settings.runs import Run, kinds  # noqa: E402
from lightweights.settings.study import parse_study  # noqa: E402
from lightweights.study.execute import begin, finish  # noqa: E402

BASELINES = {
    "weight_sharing": {"rows": 5},
    "pruning": {"ratio": 0.5},
    "magnitude_pruning": {"parameters": 2000, "dense_epochs": 3},
    "low_rank": {"rank": 3},
    "tensor_train": {"rank": 5},
    "hypernetwork": {"widths": [10, 9]},
    "gate_qt": {"layers": 4},
    "small_cnn": {"widths": [3, 4, 5]},
}
# The start lies away from the identity, and the runs are short: another processor's rounding moves their losses by 1e-6 at most.
STUDY = {
    "dataset": {"name": "digits"},
    "mapping": {"bond_dim": 3, "init_std": 0.05},
    "schedules": {
        "classical": {"epochs": 6, "lr": 0.005, "batch_size": 50},
        "gradient": {"rounds": 3, "mapping_epochs": 3, "mapping_lr": 0.002, "batch_size": 25, "phase_steps": 4, "phase_batch_size": 60},
        "teacher": {"epochs": 4, "lr": 0.01, "batch_size": 20},
        "student": {"epochs": 3, "lr": 0.01, "batch_size": 20, "spsa_steps": 2, "spsa_batches": 1},
        "cobyla": {"rounds": 1, "mapping_epochs": 5, "mapping_lr": 0.002, "batch_size": 25, "evaluations": 200, "phase_batch_size": 60},
    },
    "time_bin": {"modes": 8},
    "feature": {"shots": 50, "fit_draws": 16},
    "teacher": {"widths": [4, 6, 8]},
    "student": {"rank": 3},
    "experiments": {
        "classical": {"method": "classical", "numerics_version": kinds()["classical"].version, "seeds": [3]},
        "gradient": {"method": "quantum_train", "numerics_version": kinds()["quantum_train"].version, "seeds": [3]},
        "cobyla": {"method": "quantum_train", "numerics_version": kinds()["quantum_train"].version, "schedule": "cobyla", "seeds": [3]},
        **{
            kind: {
                "method": "baseline",
                "numerics_version": kinds()["baseline"].version,
                "seeds": [3],
                "baseline": {"kind": kind, **settings},
            }
            for kind, settings in BASELINES.items()
        },
        "teacher": {"method": "teacher", "numerics_version": kinds()["teacher"].version, "seeds": [3]},
        "student": {"method": "student", "numerics_version": kinds()["student"].version, "teacher": "teacher", "seeds": [3]},
    },
}
NAMES = tuple(STUDY["experiments"])


def run_of(name: str) -> Run:
    """The run of that name."""
    return next(run for run in parse_study(STUDY).runs() if run.experiment == name)


def teacher_of(name: str) -> torch.nn.Module | None:
    """The teacher of the student, untrained: enough to distil."""
    if run_of(name).settings.method != "student":
        return None
    return new_teacher(run_of("teacher").settings, tiny_dataset(), 3)


def numbers(name: str) -> dict[str, Any]:
    """The method and version of a run, its final metrics, parameter counts, and the losses of each round or epoch."""
    run = run_of(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    training, progress, _ = begin(run.settings, tiny_dataset(), run.seed, torch.device("cpu"), teacher=teacher_of(name))
    list(progress)
    torch.set_num_threads(threads)
    result = finish(training, run.settings, tiny_dataset(), run.seed)
    losses = ["training_loss", "last_batch_loss", *(["phase_loss"] if run.settings.method == "quantum_train" else [])]
    return {
        "method": run.settings.method,
        "numerics_version": run.settings.numerics_version,
        "final": result.final,
        "parameters": result.parameters,
        "history": {column: result.history[column].tolist() for column in losses},
    }


def main() -> None:
    """Write the numbers of all runs."""
    for name in NAMES:
        (HERE / f"{name}.json").write_text(json.dumps(numbers(name), indent=2) + "\n")


if __name__ == "__main__":
    main()
