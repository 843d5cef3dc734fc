"""A trained model in a folder of its own, as model hubs lay it out: the numbers, config.json to make the network from them, a model card.

The network itself can stand beside them, for those who have not this package: as tensors, as a program of torch, or as ONNX.
"""

import importlib.util
import io
import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import nn

from lightweights.datasets import Dataset
from lightweights.errors import LightweightsError
from lightweights.files import write_atomic
from lightweights.methods.models import blank, example, plain
from lightweights.report.chapter import chapters
from lightweights.report.measures import FEWEST, format_number, heading, measure, possible
from lightweights.report.statistics import summarise
from lightweights.settings.data_sets import DATA_SETS
from lightweights.study.collect import lacks_model
from lightweights.study.evaluate import ACCURACY
from lightweights.study.layout import RESULTS
from lightweights.study.models import Landed, folder_of, landed_runs_of, module_of_run, packed, read_landed, read_model

Format = Literal["safetensors", "torch", "onnx"]
ENDINGS: dict[str, str] = {"safetensors": "safetensors", "torch": "pt2", "onnx": "onnx"}
CONFIG, CARD, MODEL = "config.json", "README.md", "model.safetensors"


class ExportError(LightweightsError):
    """A network that cannot be written in the format asked for; says why, and which one can."""


def export(name: str, form: Format, folder: Path | None = None, results: Path = RESULTS) -> Path:
    """Write a run's model, the plain network in one format, and the card. The folder; unless given it is named after the run."""
    landed = read_landed(folder_of(name, results))
    model = read_model(landed)
    network = plain(landed.run.settings, module_of_run(landed))
    folder = folder or Path("export") / landed.run.study / landed.run.key.replace("/", "-")
    write_atomic(folder / MODEL, packed(model)[0])
    write_atomic(folder / f"network.{ENDINGS[form]}", written(network, landed, form))
    write_atomic(folder / CONFIG, json.dumps(config(landed), indent=2) + "\n")
    write_atomic(folder / CARD, card(landed, siblings(landed), form))
    return folder


def written(network: nn.Module, landed: Landed, form: Format) -> bytes:
    """The plain network in a format. Raises ExportError where that is not possible."""
    if form == "safetensors":
        return save({name: value.detach().clone().contiguous() for name, value in network.state_dict().items()})
    if form == "onnx" and importlib.util.find_spec("onnx") is None:
        raise ExportError("onnx is not installed; `pip install onnx`, or --format torch")
    settings, buffer = landed.run.settings, io.BytesIO()
    inputs = example(settings, blank(settings.dataset))
    try:
        if form == "torch":
            program = torch.export.export(network, (inputs,), dynamic_shapes=({0: torch.export.Dim("cases")},))
            torch.export.save(program, buffer)
        else:
            names = {
                "input_names": ["inputs"],
                "output_names": ["outputs"],
                "dynamic_axes": {"inputs": {0: "cases"}, "outputs": {0: "cases"}},
            }
            torch.onnx.export(network, (inputs[:1],), buffer, dynamo=False, **names)
    except Exception as error:  # whatever torch's exporters make of a network of the user's
        raise ExportError(
            f"{landed.name}: {form} does not take this network ({str(error).splitlines()[0]}); use --format safetensors"
        ) from error
    return buffer.getvalue()


def config(landed: Landed) -> dict[str, Any]:
    """What makes the network from the numbers: settings, seed, and what the numbers are."""
    kept = ("run", "settings", "final", "last10", "parameters", "model", "provenance")
    return {"library_name": "lightweights"} | {name: landed.metrics[name] for name in kept if name in landed.metrics}


def siblings(landed: Landed) -> list[Landed]:
    """The runs of the same variant, all seeds."""
    own = (landed.run.experiment, landed.run.variant)
    return [one for one in landed_runs_of(landed.run.study, landed.results) if (one.run.experiment, one.run.variant) == own]


def reached(landed: Landed) -> dict[str, float]:
    """What a run reached on its test sets, by the name in metrics.json: accuracies in percent, or else whatever it tells of the test part.
    The one that arms are compared by comes last.
    """
    final = {name: value for name, value in landed.metrics["final"].items() if isinstance(value, int | float)}
    found = {name: value for name, value in final.items() if name.endswith(ACCURACY) and not name.startswith(("train_", "validation_"))}
    return found or {name: value for name, value in final.items() if name.startswith("test_")}


def card(landed: Landed, seeds: list[Landed], form: str) -> str:
    """README.md: a header that hubs read, then what the model is, what it reaches over seeds, how to load it, what it is not for."""
    chapters()  # makes their measures known
    run, told = landed.run, landed.model or {}
    data = run.settings.dataset.name
    words = DATA_SETS[data].words if data in DATA_SETS else data.rpartition(":")[2].replace("_", " ")
    images = blank(run.settings.dataset).TASK == Dataset.TASK
    lines = [
        *_header(landed, words, "image-classification" if images else "other"),
        "",
        f"# {run.experiment}, {run.variant}, seed {run.seed}",
        "",
        f"{told['numbers']:,} trained numbers ({told['bytes'] / 1000:.1f} kB) of method `{run.settings.method}`, trained on {words}. ",
    ]
    target = landed.metrics["parameters"].get("target")
    if target and target != told["numbers"]:
        lines[-1] += f"The network that follows from them has {target:,} weights."
    lines += ["", "| measure | this model | all seeds, mean | 95 % interval | n |", "|---|---|---|---|---|"]
    for name, value in reached(landed).items():
        found = summarise([one.metrics["final"][name] for one in seeds])
        low, high = (format_number(possible(end, name), name) for end in (found.low, found.high))
        interval = f"{low} to {high}" if found.n >= FEWEST else "-"
        called = heading(name).replace("\n", ": ")
        lines.append(f"| {called} | {format_number(value, name)} | {format_number(found.mean, name)} | {interval} | {found.n} |")
    takes = "images in [0, 1] to logits" if images else "from inputs to outputs as its data set has them"
    lines += [
        "",
        "## Load it",
        "",
        "```python",
        "import lightweights",
        "",
        f'module = lightweights.load("{landed.name}")  # in a clone of the study',
        'network = module.bake() if hasattr(module, "bake") else module',
        "```",
        "",
        f"`network.{ENDINGS[form]}` is the plain network, {takes}; config.json has the numbers' settings.",
        f"`lightweights evaluate {landed.name}` gives the numbers above again.",
        "",
        "## What it is not for",
        "",
        f"It shows how few numbers suffice on {words}; it is meant for no other use, and was tested on nothing else.",
        "",
    ]
    return "\n".join(lines)


def _header(landed: Landed, words: str, task: str) -> list[str]:
    """What hubs read: the model, its data set, and what it reaches, accuracies as shares of 1."""
    data = landed.run.settings.dataset.name
    values = reached(landed)
    kinds = {name: "accuracy" if name.endswith(ACCURACY) else name.partition("_")[2] for name in values}
    lines = ["---", "library_name: lightweights", "tags:", "- photonics", f"- {landed.run.settings.method.replace('_', '-')}"]
    lines += ["datasets:", f"- {json.dumps(data)}", "metrics:", *(f"- {kind}" for kind in dict.fromkeys(kinds.values()))]
    lines += ["model-index:", f"- name: {json.dumps(landed.name)}", "  results:"]
    for name, value in values.items():
        share = value / 100 if name.endswith(ACCURACY) else value
        lines += ["  - task:", f"      type: {task}", "    dataset:", f"      name: {json.dumps(words)}", f"      type: {json.dumps(data)}"]
        lines += [
            f"      split: {json.dumps(name.partition('_')[0])}",
            "    metrics:",
            f"    - type: {kinds[name]}",
            f"      value: {share:.6g}",
        ]
    return [*lines, "---"]


def models_text(study: str, results: Path = RESULTS) -> str:
    """`lightweights models`: variant, seed, numbers, kB and what each model reaches on the test set, then the runs that have none."""
    chapters()  # makes their measures known
    landed = landed_runs_of(study, results)
    rows, without, size = [("experiment", "variant", "seed", "numbers", "kB", "test set")], dict[str, int](), 0
    for one in landed:
        run, told = one.run, one.model
        if not told or not told.get("numbers"):
            without[run.experiment] = without.get(run.experiment, 0) + lacks_model(one.metrics)
            continue
        size += told["bytes"]
        found = list(reached(one).items())
        shown = f"{measure(found[-1][0]).words} {format_number(found[-1][1], found[-1][0])}" if found else "-"
        rows.append((run.experiment, run.variant, str(run.seed), f"{told['numbers']:,}", f"{told['bytes'] / 1000:.1f}", shown))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows] if len(rows) > 1 else []
    )
    lines.append(f"{len(rows) - 1} of {len(landed)} runs have a model, {size / 1e6:.2f} MB in all")
    missing = {name: count for name, count in without.items() if count}
    if missing:
        told_of = ", ".join(f"{name} {count}" for name, count in missing.items())
        lines.append(f"landed without their models, until they are trained again ({sum(missing.values())}): {told_of}")
    return "\n".join(lines)
