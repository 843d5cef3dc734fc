"""The command line: what the rules of the workflow call, also usable by hand."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from lightweights.errors import LightweightsError
from lightweights.settings.reading import json_schema
from lightweights.study.catalogue import FIGURES, TABLES

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
    from lightweights.study.layout import RESULTS
    from lightweights.study.plan import read_run

    run = read_run(settings, seed)
    with lent_gpu(numbers_of(gpus)):
        from lightweights.study.execute import execute, read_data
        from lightweights.study.faults import memory_told

        with memory_told(run):
            given = read_data(data)
        result = execute(run, given, RESULTS, threads=threads, device=device, checkpoint_seconds=checkpoint_seconds, teacher=teacher)
    accuracies = ", ".join(f"{name} {value:.2f} %" for name, value in result.final.items() if name.endswith("accuracy_percent"))
    typer.echo(f"{run.key}: {accuracies.replace('_accuracy_percent', '')}")


StudyFile = Annotated[Path, typer.Argument(help="results/STUDY/settings/study.json, written by snakemake.", show_default=False)]


@app.command()
def collect(
    study: StudyFile,
    partial: Annotated[bool, typer.Option("--partial", help="Leave out the runs that are not there yet.")] = False,
) -> None:
    """Gather the runs that the study asks for into runs.csv and means.json."""
    from lightweights.study import summary

    runs = summary.collect_study(study, partial)
    typer.echo(f"{len(runs)} runs collected")


@app.command()
def table(name: Annotated[str, typer.Argument(help=f"{', '.join(TABLES)}.")], study: StudyFile) -> None:
    """Make one table from runs.csv: CSV, Markdown, LaTeX and HTML."""
    from lightweights.study import summary

    summary.draw_table(name, study)


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help=f"{', '.join(FIGURES)}.")],
    study: StudyFile,
) -> None:
    """Draw one figure from runs.csv and the histories: PDF, SVG and PNG."""
    from lightweights.study import summary

    summary.draw_figure(name, study)


@app.command()
def laws(study: StudyFile) -> None:
    """Measure the laws of shot noise on the study's photonic feature, without training: laws.csv."""
    from lightweights.study import summary

    summary.write_laws(study)


@app.command()
def scorecard(study: StudyFile) -> None:
    """Judge every published number: CSV, Markdown and HTML."""
    from lightweights.study import summary

    summary.score_claims(study)


@app.command()
def findings(study: StudyFile) -> None:
    """Say in words what the ablation found: Markdown and HTML."""
    from lightweights.study import summary

    summary.write_findings(study)


@app.command()
def results(study: StudyFile) -> None:
    """Write RESULTS.md: on one page what was claimed, what was found, how sure, and what it took."""
    from lightweights.study import summary

    summary.write_results(study)


@app.command()
def report(study: StudyFile) -> None:
    """Write report.html: texts, tables, figures, runs and settings on one page that needs nothing else."""
    from lightweights.study import summary

    summary.write_report(study)


@app.command()
def show(study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper") -> None:
    """Print the small table of a study and say where its files are."""
    from lightweights.study.show import study_at_a_glance

    typer.echo(study_at_a_glance(study))


@app.command()
def status(study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper") -> None:
    """Tell which runs are done, under way (with the time that is left) and still to do."""
    from lightweights.study.status import progress_of

    typer.echo(progress_of(study))


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
    """Check every stored file against dvc.lock, every run against its settings, and weights against their digests."""
    from lightweights.study.verify import verify_study

    verify_study(study, typer.echo)


@app.command()
def restore(
    study: Annotated[str, typer.Argument(help="Name of the study.")] = "paper",
    preset: Annotated[
        Path | None, typer.Option(help="Preset of the study, where it is not params.yaml itself.", show_default=False)
    ] = None,
) -> None:
    """Take up landed results on a fresh clone: weights from the DVC remote if there is one, the rest from git, nothing retrained."""
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
    from lightweights.study import probe as probing

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
