"""Commands that train: what jobs of the workflow call."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from lightweights.settings.runs import Run

SettingsFile = Annotated[Path, typer.Argument(help="results/STUDY/settings/EXPERIMENT/VARIANT.json", show_default=False)]


def prepare(
    output: Annotated[Path, typer.Argument(help="File to write, results/STUDY/data/NAME.safetensors.", show_default=False)],
    settings: Annotated[Path, typer.Option(help="Settings of the data set (JSON).", show_default=False)],
) -> None:
    """Fetch a data set, verify it, and write it as tensors."""
    from lightweights.study.prepare import prepare_data

    prepare_data(settings, output)


def train(
    settings: SettingsFile,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the run.")],
    data: Annotated[Path, typer.Option(help="Prepared data set.", show_default=False)],
    threads: Annotated[int, typer.Option(min=1, help="Threads of this run.")] = 1,
    device: Annotated[Literal["cpu", "cuda", "auto"], typer.Option(help="Where to train.")] = "cpu",
    checkpoint_seconds: Annotated[float, typer.Option(min=0, help="Least time between two checkpoints.")] = 30.0,
    gpus: Annotated[str, typer.Option(help="GPUs to take a free one of, for example 0,1,3.", show_default=False)] = "",
    teacher: Annotated[Path | None, typer.Option(help="Weights of a student's teacher, as its run wrote them.", show_default=False)] = None,
) -> None:
    """Train one run; started again after a kill, it goes on from its last checkpoint."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # before numpy and torch are imported
    from lightweights.study.gpus import lent_gpu, numbers_of
    from lightweights.study.plan import read_run

    run = read_run(settings, seed)
    with lent_gpu(numbers_of(gpus)):
        typer.echo(_trained(run, data, threads, device, checkpoint_seconds, teacher))


def train_together(
    study: Annotated[str, typer.Argument(help="Name of the study.", show_default=False)],
    runs: Annotated[list[str] | None, typer.Argument(help="Runs, EXPERIMENT/VARIANT/seed-K.", show_default=False)] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of a run.")] = 1,
    device: Annotated[Literal["cpu", "cuda", "auto"], typer.Option(help="Where to train.")] = "cpu",
    checkpoint_seconds: Annotated[float, typer.Option(min=0, help="Least time between two checkpoints.")] = 30.0,
    gpus: Annotated[str, typer.Option(help="GPUs to take a free one of, for example 0,1,3.", show_default=False)] = "",
    batch: Annotated[int, typer.Option(min=1, help="Runs of one shape that are trained step by step together.")] = 1,
) -> None:
    """Train runs one after the other in this process; one that fails leaves the others, and is named in the end."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # before numpy and torch are imported
    from lightweights.study.gpus import lent_gpu, numbers_of
    from lightweights.study.together import train_each

    with lent_gpu(numbers_of(gpus)):
        train_each(
            study,
            runs or [],
            lambda run, data: _trained(run, data, threads, device, checkpoint_seconds, None),
            typer.echo,
            batch=batch,
            train_batch=lambda group, data: _trained_together(group, data, threads, device, checkpoint_seconds),
        )


def _trained(run: Run, data: Path, threads: int, device: str, checkpoint_seconds: float, teacher: Path | None) -> str:
    """Train a run to its end; its accuracies in words."""
    from lightweights.allocator import keep_memory
    from lightweights.study.layout import RESULTS

    keep_memory()
    from lightweights.study.execute import execute, read_data
    from lightweights.study.faults import memory_told

    with memory_told(run):
        given = read_data(data)
    result = execute(run, given, RESULTS, threads=threads, device=device, checkpoint_seconds=checkpoint_seconds, teacher=teacher)
    return _told(run.key, result.final)


def _trained_together(runs: list[Run], data: Path, threads: int, device: str, checkpoint_seconds: float) -> dict:
    """Train runs of one shape to their end; their accuracies in words, or their errors."""
    from lightweights.allocator import keep_memory
    from lightweights.study.layout import RESULTS

    keep_memory()
    from lightweights.study.batched import execute_batch
    from lightweights.study.execute import RunResult, read_data

    found = execute_batch(runs, read_data(data), RESULTS, threads=threads, device=device, checkpoint_seconds=checkpoint_seconds)
    return {key: _told(key, one.final) if isinstance(one, RunResult) else one for key, one in found.items()}


def _told(key: str, final: dict[str, float]) -> str:
    accuracies = {name.removesuffix("_accuracy_percent"): value for name, value in final.items() if name.endswith("accuracy_percent")}
    told = [f"{name} {value:.2f} %" for name, value in accuracies.items()] or [f"{name} {value:.4g}" for name, value in final.items()]
    return f"{key}: {', '.join(told)}"
