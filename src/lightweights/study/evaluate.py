"""`lightweights evaluate`: from the numbers that a run has stored to weights, to accuracies on the test sets, against its metrics.json.

Nothing is trained. On the same kind of processor, with the same versions, the numbers are equal; elsewhere sums are rounded otherwise, and
a few images on the verge of two classes may change sides.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lightweights.datasets import Data, DataError, digest, load
from lightweights.errors import LightweightsError
from lightweights.methods.models import ModelError, UnmeasuredError, measured, plain, unrepeatable
from lightweights.settings.base import nearest
from lightweights.settings.chapters import experiments_of, found
from lightweights.settings.dataset import DatasetSection
from lightweights.study.bundle import unpacked
from lightweights.study.execute import read_data
from lightweights.study.faults import RunError
from lightweights.study.layout import RESULTS, data_path
from lightweights.study.models import Landed, NoModelError, folder_of, landed_runs_of, module_of_run, read_landed, read_model
from lightweights.study.provenance import provenance

ELSEWHERE = 1 / 500
"""Share of a test set's images that may change sides, or their bin of confidence, on another kind of processor, at least one image."""

CLOSE = 0.01
"""Deviation there of what is no accuracy, such as a cross-entropy, relative to it or to one."""

BUNDLE = ".zip"
ACCURACY = "_accuracy_percent"
OF_IMAGES = (ACCURACY, "_calibration_error_percent")
"""Endings of what images are counted in."""
_SHOWN = 20


class EvaluateError(LightweightsError):
    """Numbers that do not hold; names each run and number."""


@dataclass
class Evaluation:
    """What was found: runs whose numbers hold, exactly or within the tolerance; what does not; what could not be checked, by reason."""

    exact: int = 0
    close: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unchecked: dict[str, list[str]] = field(default_factory=dict)

    def leave(self, reason: str, name: str) -> None:
        """Note that a run could not be checked."""
        self.unchecked.setdefault(reason, []).append(name)


def evaluate(names: Iterable[str], study: str, say: Callable[[str], None], results: Path = RESULTS) -> Evaluation:
    """Evaluate runs, chapters, experiments, or ``all`` of a study, and say what was checked. Raises EvaluateError where a number does not
    hold, LightweightsError where nothing is meant.
    """
    told, data, names = Evaluation(), DataSets(), list(names)
    for landed in asked_for((name for name in names if not name.endswith(BUNDLE)), study, results):
        check(landed, data, told)
    for name in (name for name in names if name.endswith(BUNDLE)):
        with tempfile.TemporaryDirectory() as folder:
            check(unpacked(Path(name), Path(folder)), data, told)
    checked = told.exact + len(told.close) + len(told.wrong)
    say(f"checked: {checked} runs, from the stored numbers to the test sets: {told.exact} equal, {len(told.close)} within the tolerance")
    if told.close:
        say(f"within the tolerance of another kind of processor (1 image in {1 / ELSEWHERE:.0f}):\n{_listed(told.close)}")
    for reason, runs in told.unchecked.items():
        counts = Counter(run.rsplit("/", 2)[0] for run in runs)
        say(f"not checked ({len(runs)}): {reason}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    if told.wrong:
        raise EvaluateError(f"{len(told.wrong)} findings:\n{_listed(told.wrong)}")
    return told


def asked_for(names: Iterable[str], study: str, results: Path = RESULTS) -> list[Landed]:
    """The runs that are meant, each once. Raises NoModelError for a name that means none."""
    runs: dict[str, Landed] = {}
    there: list[Landed] | None = None
    for name in names:
        if "seed-" in name:
            chosen = [read_landed(folder_of(name, results))]
        else:
            there = there or landed_runs_of(study, results)
            meant = experiments(name)
            chosen = [landed for landed in there if name == "all" or landed.run.experiment in meant]
            if not chosen:
                known = dict.fromkeys(landed.run.experiment for landed in there)
                there_are = f"there are {', '.join(known)}{nearest(name, known)}"
                raise NoModelError(f"{name!r}: no run, and no chapter or experiment of study {study} with runs; {there_are}")
        runs |= {landed.name: landed for landed in chosen}
    return list(runs.values())


def experiments(name: str) -> set[str]:
    """Experiments of the chapter of that name; where there is none, the name itself."""
    folder = found().get(name)
    return {name} if folder is None else set(experiments_of(folder))


class DataSets:
    """Data sets as the runs had them: prepared ones of a study, others fetched; each read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[Data, str]] = {}

    def of(self, landed: Landed) -> Data:
        """The data of a run. Raises DataError where it is not here, ModelError where it is other data."""
        section = landed.run.settings.dataset
        key = (landed.run.study, section.model_dump_json())
        if key not in self._read:
            data = self._prepared(landed, section) or load(section)
            self._read[key] = (data, digest(data))
        data, found_digest = self._read[key]
        expected = landed.metrics.get("provenance", {}).get("data_sha256")
        if expected not in (None, found_digest):
            raise ModelError(f"data {section.name} has SHA-256 {found_digest}, but the run was made on {expected}")
        return data

    def _prepared(self, landed: Landed, section: DatasetSection) -> Data | None:
        path = data_path(landed.run.study, section.name, landed.results)
        try:
            data = read_data(path) if path.is_file() else None
        except RunError:
            return None
        expected = landed.metrics.get("provenance", {}).get("data_sha256")
        return data if data is not None and expected in (None, digest(data)) else None


def check(landed: Landed, data: DataSets, told: Evaluation) -> None:
    """Evaluate one run."""
    reason = unrepeatable(landed.run.settings)
    if reason:
        told.leave(reason, landed.name)
        return
    try:
        read_model(landed)  # before its data, which may have to be fetched
        sets = data.of(landed)
        reached = reached_by(landed, module_of_run(landed, sets), sets)
    except NoModelError as error:
        told.leave(str(error).removeprefix(f"{landed.name} ").removeprefix(f"{landed.name}: "), landed.name)
    except UnmeasuredError as error:
        told.leave(str(error), landed.name)
    except DataError as error:
        told.leave(f"its data is not here ({str(error).splitlines()[0]})", landed.name)
    except ModelError as error:
        told.wrong.append(str(error) if landed.name in str(error) else f"{landed.name}: {error}")
    else:
        compare(landed, reached, {name: len(split) for name, split in sets.tests.items()}, told)


def reached_by(landed: Landed, module: torch.nn.Module, data: Any) -> dict[str, float]:
    """What the module of a run reaches on the test sets, computed with as many threads as the run had."""
    before = torch.get_num_threads()
    torch.set_num_threads(landed.metrics.get("provenance", {}).get("threads") or before)
    try:
        return measured(plain(landed.run.settings, module), landed.run.settings, data)
    finally:
        torch.set_num_threads(before)


def compare(landed: Landed, reached: dict[str, float], images: dict[str, int], told: Evaluation) -> None:
    """Hold what a run's numbers reach against what its metrics.json says."""
    final = landed.metrics.get("final", {})
    names = [name for name in reached if name in final]
    if not names:
        told.leave("metrics.json tells nothing of the test sets", landed.name)
        return
    same, notes = same_kind(landed), []
    for name in names:
        recorded, value = float(final[name]), reached[name]
        if value == recorded:
            continue
        line = f"{landed.name}: {name} is {value:.6g}, metrics.json has {recorded:.6g}"
        ending = next((one for one in OF_IMAGES if name.endswith(one)), None)
        if ending is not None:
            size = images[name.removesuffix(ending)]
            changed = round(abs(value - recorded) * size / 100)
            line += f" ({changed} of {size:,} images)"
            holds = not same and changed <= max(1, math.floor(size * ELSEWHERE))
        else:
            holds = not same and math.isclose(value, recorded, rel_tol=CLOSE, abs_tol=CLOSE)
        if not holds:
            told.wrong.append(line)
            return
        notes.append(line)
    if notes:
        told.close.append(next((note for note in notes if "images" in note), notes[0]))
    else:
        told.exact += 1


def same_kind(landed: Landed) -> bool:
    """Whether the run was made on such a processor, with this torch; not where the run does not tell its instructions."""
    made = landed.metrics.get("provenance", {})
    here = provenance(torch.device("cpu"), 1)
    same = all(made.get(name) == here[name] for name in ("device", "instructions"))
    return same and made.get("versions", {}).get("torch") == here["versions"]["torch"]


def _listed(lines: list[str]) -> str:
    rest = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join([*(f"  {line}" for line in lines[:_SHOWN]), *rest])
