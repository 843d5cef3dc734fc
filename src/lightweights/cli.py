"""The command line: what the rules of the workflow call, also usable by hand."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from lightweights.errors import LightweightsError
from lightweights.settings.reading import json_schema
from lightweights.settings.runs import Run

app = typer.Typer(
    help="Photonic circuits generate the weights of neural networks: the steps of a study, as the workflow calls them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SettingsFile = Annotated[Path, typer.Argument(help="results/STUDY/settings/EXPERIMENT/VARIANT.json", show_default=False)]


@app.command()
def prepare(
    output: Annotated[Path, typer.Argument(help="File to write, results/STUDY/data/NAME.safetensors.", show_default=False)],
    settings: Annotated[Path, typer.Option(help="Settings of the data set (JSON).", show_default=False)],
) -> None:
    """Fetch a data set, verify it, and write it as tensors."""
    from lightweights.study.prepare import prepare_data

    prepare_data(settings, output)


@app.command()
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


@app.command()
def train_together(
    study: Annotated[str, typer.Argument(help="Name of the study.", show_default=False)],
    runs: Annotated[list[str], typer.Argument(help="Runs, EXPERIMENT/VARIANT/seed-K.", show_default=False)],
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
            runs,
            lambda run, data: _trained(run, data, threads, device, checkpoint_seconds, None),
            typer.echo,
            batch=batch,
            train_batch=lambda group, data: _trained_together(group, data, threads, device, checkpoint_seconds),
        )


def _trained_together(runs: list[Run], data: Path, threads: int, device: str, checkpoint_seconds: float) -> dict:
    """Train runs of one shape to their end; their accuracies in words, or their errors."""
    from lightweights.allocator import keep_memory
    from lightweights.study.layout import RESULTS

    keep_memory()
    from lightweights.study.batched import execute_batch
    from lightweights.study.execute import RunResult, read_data

    found = execute_batch(runs, read_data(data), RESULTS, threads=threads, device=device, checkpoint_seconds=checkpoint_seconds)
    return {key: _told(key, one.final) if isinstance(one, RunResult) else one for key, one in found.items()}


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


def _told(key: str, final: dict[str, float]) -> str:
    accuracies = {name.removesuffix("_accuracy_percent"): value for name, value in final.items() if name.endswith("accuracy_percent")}
    told = [f"{name} {value:.2f} %" for name, value in accuracies.items()] or [f"{name} {value:.4g}" for name, value in final.items()]
    return f"{key}: {', '.join(told)}"


StudyFile = Annotated[Path, typer.Argument(help="results/STUDY/settings/study.json, written by snakemake.", show_default=False)]


@app.command()
def collect(
    study: StudyFile,
    partial: Annotated[bool, typer.Option("--partial", help="Leave out the runs that are not there yet.")] = False,
) -> None:
    """Gather the runs that the study asks for into runs.csv and means.json."""
    from lightweights.report import make

    runs = make.collect_study(study, partial)
    typer.echo(f"{len(runs)} runs collected")


@app.command()
def draw(
    study: StudyFile,
    names: Annotated[
        list[str],
        typer.Argument(
            help="tables/NAME, figures/NAME, scorecard, RESULTS, a chapter's name for its page, or laws.csv.", show_default=False
        ),
    ],
) -> None:
    """Make parts of a study's summary from its runs, all in one process; one that fails is named and leaves the others."""
    from lightweights.report import make

    make.draw(study, names)


@app.command()
def report(study: StudyFile) -> None:
    """Write report.html: texts, tables, figures, runs and settings on one page that needs nothing else."""
    from lightweights.report import make

    make.write_report(study)


@app.command()
def show(study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper") -> None:
    """Print the small tables of a study and say where its files are."""
    from lightweights.report.make import study_at_a_glance

    typer.echo(study_at_a_glance(study))


@app.command()
def status(study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper") -> None:
    """Tell which runs are done, under way (with the time that is left) and still to do."""
    from lightweights.study.status import progress_of

    typer.echo(progress_of(study))


@app.command()
def check(
    what: Annotated[str, typer.Argument(help="Folder of a chapter, or package.module:factory.", show_default=False)],
    kind: Annotated[
        Literal["network", "arm", "dataset"] | None,
        typer.Option(help="What the factory makes, where its arguments do not tell.", show_default=False),
    ] = None,
    argument: Annotated[list[str] | None, typer.Option(help="name=value for the factory, several times.", show_default=False)] = None,
) -> None:
    """Check what is one's own: a chapter (names against functions, claims against measures, templates against facts), or a factory of a
    network, an arm or a data set (built, trained for seconds, killed, taken up to the bit, told).
    """
    if ":" in what:
        from lightweights.settings.yaml_file import named_values
        from lightweights.study.contract import check_own

        lines = check_own(what, kind, named_values("--argument", argument or []))
    else:
        from lightweights.report.contract import check_chapter

        lines = check_chapter(Path(what))
    for line in lines:
        typer.echo(line)


@app.command(name="chapters")
def chapters_command(
    preset: Annotated[Path | None, typer.Option(help="Preset laid over params.yaml.", show_default=False)] = None,
) -> None:
    """List the study's chapters and experiments: runs, how many are there, and what the others cost."""
    from lightweights.settings.reading import load_study
    from lightweights.study.overview import chapters_text

    typer.echo(chapters_text(load_study(Path("params.yaml"), *([preset] if preset else []))))


@app.command()
def stages(
    write: Annotated[bool, typer.Option("--write", help="Write dvc.yaml, in place of printing it.")] = False,
) -> None:
    """Make dvc.yaml from params.yaml and the chapters: a stage a chapter, with exactly the parameters that it needs."""
    from lightweights.files import write_if_changed
    from lightweights.report.stages import stages_text

    text = stages_text(Path("params.yaml"))
    if write:
        write_if_changed(Path("dvc.yaml"), text)
    else:
        typer.echo(text, nl=False)


@app.command()
def plan(
    preset: Annotated[Path | None, typer.Option(help="Preset laid over params.yaml.", show_default=False)] = None,
    cores: Annotated[int, typer.Option(min=1, help="Cores of this machine to use.")] = os.cpu_count() or 1,
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes of a cluster.", show_default=False)] = None,
    cores_per_node: Annotated[int, typer.Option(min=1, help="Cores of each node.")] = 32,
) -> None:
    """Tell what the runs still to do cost: core-hours, time, memory and disk, here and on a cluster."""
    from lightweights.settings.reading import load_study
    from lightweights.study.forecast import plan_text

    study = load_study(Path("params.yaml"), *([preset] if preset else []))
    typer.echo(plan_text(study, cores, nodes, cores_per_node))


@app.command()
def verify(
    study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper",
) -> None:
    """Check stored files against dvc.lock, each run against its settings, history and model, and runs.csv against the runs."""
    from lightweights.study.verify import verify_study

    verify_study(study, typer.echo)


@app.command()
def models(study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper") -> None:
    """List the trained models that are here: variant, seed, numbers, kB, test accuracy; and how many runs have none."""
    from lightweights.report.cards import models_text

    typer.echo(models_text(study))


@app.command()
def evaluate(
    runs: Annotated[
        list[str],
        typer.Argument(help="Runs (STUDY/EXPERIMENT/VARIANT/seed-K), chapters or experiments, bundles (.zip), or all.", show_default=False),
    ],
    study: Annotated[str, typer.Option(help="Study of the chapters and experiments.")] = "paper",
) -> None:
    """From the stored numbers of landed models to accuracies on the test sets, against metrics.json; nothing is trained."""
    from lightweights.study.evaluate import evaluate as evaluated

    evaluated(runs, study, typer.echo)


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="Run, STUDY/EXPERIMENT/VARIANT/seed-K.", show_default=False)],
    form: Annotated[Literal["safetensors", "torch", "onnx"], typer.Option("--format", help="Format of the plain network.")] = "safetensors",
    folder: Annotated[Path | None, typer.Option(help="Where to; export/STUDY/RUN unless given.", show_default=False)] = None,
) -> None:
    """Write a trained model with its card as model hubs lay it out, and the plain network beside it."""
    from lightweights.report.cards import export as exported

    typer.echo(f"written: {exported(run, form, folder)}")


@app.command()
def bundle(
    run: Annotated[str, typer.Argument(help="Run, STUDY/EXPERIMENT/VARIANT/seed-K.", show_default=False)],
    file: Annotated[Path | None, typer.Option(help="File to write; STUDY-RUN.zip unless given.", show_default=False)] = None,
) -> None:
    """Pack a run with all that its number follows from, as an RO-Crate zip that `lightweights evaluate` takes."""
    from lightweights.study.bundle import write_bundle

    typer.echo(f"written: {write_bundle(run, file)}")


@app.command()
def restore(
    study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper",
    preset: Annotated[
        Path | None, typer.Option(help="Preset of the study, where it is not params.yaml itself.", show_default=False)
    ] = None,
) -> None:
    """Take up landed results on a fresh clone: large models from the DVC remote if there is one, the rest from git; nothing retrained."""
    from lightweights.study.restore import restore_study

    restore_study(study, preset, typer.echo)


@app.command()
def probe(
    modes: Annotated[int, typer.Option(help="Modes of the circuit.")] = 9,
    photons: Annotated[int, typer.Option(help="Photons that enter.")] = 4,
    mesh: Annotated[Literal["notebook", "clements", "mzi"], typer.Option(help="Interferometer.")] = "notebook",
    input_state: Annotated[Literal["spaced", "alternating", "first"], typer.Option(help="Where the photons enter.")] = "spaced",
    noise: Annotated[
        list[str] | None,
        typer.Option(
            help="name=value, several times: brightness, indistinguishability, g2, transmittance, phase_error, ...", show_default=False
        ),
    ] = None,
    detectors: Annotated[Literal["threshold", "pnr"], typer.Option(help="Detectors that click, or count photons.")] = "threshold",
    cycles: Annotated[int | None, typer.Option(help="Clock cycles to count; exact probabilities without.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the random phases.")] = 0,
    clock_mhz: Annotated[float, typer.Option(min=1e-6, help="Clock of the photon sources.")] = 80.0,
    figure: Annotated[Path | None, typer.Option(help="Draw the distribution: .pdf, .svg, .png.", show_default=False)] = None,
    circuit: Annotated[Path | None, typer.Option(help="Draw the circuit, by Perceval: .pdf, .svg, .png.", show_default=False)] = None,
) -> None:
    """Look at one circuit at random phases on an imperfect device: distribution, rate, distance to the ideal, drawing."""
    from lightweights.report import probe as probing

    section = probing.section_of(modes, photons, mesh, input_state, noise or [], detectors=detectors, cycles=cycles)
    text, built, found = probing.probe(section, seed, clock_mhz)
    typer.echo(text)
    if figure is not None:
        probing.draw_distribution(built, found, figure)
    if circuit is not None:
        probing.draw_circuit(built, found["phases"], circuit)


@app.command()
def schema() -> None:
    """Print the JSON schema of params.yaml."""
    typer.echo(json.dumps(json_schema(), indent=2))


def main() -> None:
    """Run the command line; expected errors are printed as one paragraph, without a traceback."""
    try:
        app()
    except LightweightsError as error:
        typer.echo(f"lightweights: {error}", err=True)
        raise SystemExit(1) from None
