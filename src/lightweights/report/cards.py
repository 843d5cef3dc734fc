"""A trained model in a folder of its own, as model hubs lay it out: the numbers, config.json to make the network from them, a model card.

The network itself can stand beside them, for those who have not this package: as tensors, as a program of torch, or as ONNX.
"""

import io
import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import nn

from lightweights.datasets import shape_of
from lightweights.errors import LightweightsError
from lightweights.files import write_atomic
from lightweights.methods.models import plain
from lightweights.report.measures import FEWEST
from lightweights.report.statistics import summarise
from lightweights.settings.data_sets import DATA_SETS
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
    shape, _ = shape_of(landed.run.settings.dataset)
    example, buffer = torch.zeros(2, *shape), io.BytesIO()
    try:
        if form == "torch":
            program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("images")},))
            torch.export.save(program, buffer)
        else:
            torch.onnx.export(network, (example,), buffer, dynamo=False, input_names=["images"], output_names=["logits"])
    except ImportError as error:
        raise ExportError(f"{form}: {error.name or error} is not installed; `pip install onnx onnxscript`, or --format torch") from None
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


def accuracies(landed: Landed) -> dict[str, float]:
    """Percent by test set, the one that arms are compared by last."""
    ending = "_accuracy_percent"
    found = {name.removesuffix(ending): value for name, value in landed.metrics["final"].items() if name.endswith(ending)}
    return {name: value for name, value in found.items() if name not in ("train", "validation")}


def card(landed: Landed, seeds: list[Landed], form: str) -> str:
    """README.md: a header that hubs read, then what the model is, what it reaches over seeds, how to load it, what it is not for."""
    run, told = landed.run, landed.model or {}
    data = run.settings.dataset.name
    words = DATA_SETS[data].words if data in DATA_SETS else data
    reached = accuracies(landed)
    header = ["---", "library_name: lightweights", "tags:", "- photonics", f"- {run.settings.method.replace('_', '-')}"]
    header += [
        "datasets:",
        f"- {json.dumps(data)}",
        "metrics:",
        "- accuracy",
        "model-index:",
        f"- name: {json.dumps(landed.name)}",
        "  results:",
    ]
    for name, value in reached.items():
        header += ["  - task:", "      type: image-classification", "    dataset:", f"      name: {json.dumps(words)}"]
        header += [f"      type: {json.dumps(data)}", f"      split: {json.dumps(name)}", "    metrics:", "    - type: accuracy"]
        header += [f"      value: {value / 100:.6g}"]
    lines = [*header, "---", "", f"# {run.experiment}, {run.variant}, seed {run.seed}", ""]
    lines += [
        f"{told['numbers']:,} trained numbers ({told['bytes'] / 1000:.1f} kB) of method `{run.settings.method}`, trained on {words}. "
    ]
    target = landed.metrics["parameters"].get("target")
    if target:
        lines[-1] += f"The network that follows from them has {target:,} weights."
    lines += ["", "| test set | this model (%) | all seeds, mean (%) | 95 % interval | n |", "|---|---|---|---|---|"]
    for name, value in reached.items():
        found = summarise([one.metrics["final"][f"{name}_accuracy_percent"] for one in seeds])
        interval = f"{max(found.low, 0):.2f} to {min(found.high, 100):.2f}" if found.n >= FEWEST else "-"
        lines.append(f"| {name} | {value:.2f} | {found.mean:.2f} | {interval} | {found.n} |")
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
        f"`network.{ENDINGS[form]}` is the plain network, images in [0, 1] to logits; config.json has the numbers' settings.",
        f"`lightweights evaluate {landed.name}` gives the accuracies above again.",
        "",
        "## What it is not for",
        "",
        f"It shows how few numbers suffice on {words}; it is no classifier for any other use, and was tested on nothing else.",
        "",
    ]
    return "\n".join(lines)


def models_text(study: str, results: Path = RESULTS) -> str:
    """`lightweights models`: variant, seed, numbers, kB and test accuracy of each model, then the runs that have none."""
    landed = landed_runs_of(study, results)
    rows, without, size = [("experiment", "variant", "seed", "numbers", "kB", "test accuracy (%)")], dict[str, int](), 0
    for one in landed:
        run, told = one.run, one.model
        if not told or not told.get("numbers"):
            without[run.experiment] = without.get(run.experiment, 0) + (told is None)
            continue
        size += told["bytes"]
        reached = list(accuracies(one).values())
        shown = f"{reached[-1]:.2f}" if reached else "-"
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
