"""Damage files of every kind at random, and count what passes in silence: python tests/faults/campaign.py --count 10000 --seconds 600

A damaged file is refused by an error of ours, or what is read from it is what was written; anything else is an error of another's (foreign)
or goes on with other content (silent). Files that carry no digest of their own, a CSV or NPZ file, are read as a study reads them that
states ``dataset.sha256``; the files of a landed run by what `lightweights verify` makes of them without any record of DVC's, where the
provenance in metrics.json (versions, host, times) is taken at its word.
"""

import argparse
import io
import json
import logging
import lzma
import random
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import tiny_dataset
from safetensors.torch import save

from lightweights.datasets import Data, digest, from_arrays, series_from_arrays, text_from_tokens, to_tensors
from lightweights.datasets.formats import gunzip, unxz
from lightweights.datasets.loading import load as load_data
from lightweights.errors import LightweightsError
from lightweights.photonics import Circuit
from lightweights.photonics.answers import counted, read_answer
from lightweights.photonics.jobs import JobLog, Question
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.study import parse_study
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.collect import collect, write_runs
from lightweights.study.execute import begin, execute, read_data
from lightweights.study.findings import Findings
from lightweights.study.layout import history_file, metrics_file, model_file, study_folder
from lightweights.study.verify import VerifyError, check_runs
from lightweights.training.state import Training


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it holds, and how it is read. ``same`` says whether what was read is what was written, None where nothing was
    taken from the file at all.
    """

    content: bytes
    read: Callable[[Path], Any]
    same: Callable[[Any], bool | None]


def prepared(data: Data) -> Kind:
    known = digest(data), [getattr(data, name) for name in ("name", *data.COUNTS)]
    return Kind(
        save(*to_tensors(data)),
        read_data,
        lambda found: (digest(found), [getattr(found, name) for name in ("name", *found.COUNTS)]) == known,
    )


def own_data(kind: str, content: bytes, **arguments: Any) -> Kind:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "whole").write_bytes(content)
        name = f"lightweights.datasets.own:{kind}"
        known = digest(load_data(DatasetSection(name=name, arguments={"file": str(Path(folder) / "whole"), **arguments})))

    def read(path: Path) -> Data:
        return load_data(DatasetSection(name=name, arguments={"file": str(path), **arguments}, sha256=known))

    return Kind(content, read, lambda found: digest(found) == known)


def packed(content: bytes, unpack: Callable[[bytes, int, str], bytes], plain: bytes) -> Kind:
    return Kind(content, lambda path: unpack(path.read_bytes(), len(plain), "file"), lambda found: found == plain)


def jobs() -> Kind:
    circuit = Circuit(4, 2)
    questions = [
        Question("far", 100, "None", circuit, circuit.random_phases(torch.Generator().manual_seed(k), torch.float64)) for k in range(4)
    ]
    with tempfile.TemporaryDirectory() as folder:
        log = JobLog(Path(folder) / "jobs.jsonl")
        for number, question in enumerate(questions):
            log.sending(question)
            log.write(question, f"job-{number}")
        content = (Path(folder) / "jobs.jsonl").read_bytes()

    def same(log: JobLog) -> bool | None:
        found = [log.find(question.key) for question in questions]
        wrong = [job for number, job in enumerate(found) if job not in (None, f"job-{number}")]
        return not wrong and (None if None in found else True)

    return Kind(content, JobLog, same)


def answers() -> Kind:
    import perceval
    from cloud import archived

    circuit = Circuit(4, 2)
    counts = {(1, 1, 0, 0): 611, (0, 1, 1, 0): 202, (0, 0, 1, 1): 187}
    found = {"results": perceval.BSCount({perceval.BasicState(state): n for state, n in counts.items()}), "global_perf": 1.0}
    known = counted(circuit, found, 1000, exact=True, brightest=1)

    def read(path: Path) -> torch.Tensor | None:
        answer = read_answer(path.read_text(errors="replace"))
        return None if answer.get("results") is None else counted(circuit, answer, 1000, exact=True, brightest=1)

    return Kind(json.dumps(archived(found)).encode(), read, lambda answer: None if answer is None else torch.equal(answer, known))


def checkpoint() -> Kind:
    tree = {"dataset": {"name": "digits"}, "experiments": {"c": {"method": "classical", "seeds": [0]}}}
    run, data = parse_study(tree).runs()[0], tiny_dataset()
    training, progress, _ = begin(run.settings, data, 0, torch.device("cpu"))
    next(progress)
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(training, run, Path(folder) / "state")
        content = (Path(folder) / "state").read_bytes()
    known, rows = save(training.tensors()), list(training.rows)

    def read(path: Path) -> Training:
        found, _, _ = begin(run.settings, data, 0, torch.device("cpu"))
        with redirect_stdout(io.StringIO()):
            resume(found, run, path)
        return found

    return Kind(content, read, lambda found: found.rows == rows and save(found.tensors()) == known if found.rows else None)


def landed(folder: Path) -> dict[str, Kind]:
    """The files of a landed run, and the table of runs, in a study of two runs."""
    tree = {
        "study": {"name": "trial"},
        "dataset": {"name": "digits"},
        "schedules": {"classical": {"epochs": 12}},
        "experiments": {"c": {"method": "classical", "seeds": [0, 1]}},
    }
    study = parse_study(tree)
    for run in study.runs():
        execute(run, tiny_dataset(classes=10), folder, threads=1, device="cpu", checkpoint_seconds=600.0)
    table, first = study_folder("trial", folder) / "runs.csv", study.runs()[0]
    write_runs(collect(study, folder), table)

    def kind(place: Path, content: Callable[[bytes], Any]) -> Kind:
        whole = place.read_bytes()

        def read(path: Path) -> Any:
            spoilt = path.read_bytes()
            place.write_bytes(spoilt)
            try:
                findings = Findings()
                check_runs(study, folder, findings)
            finally:
                place.write_bytes(whole)
            if findings.wrong:
                raise VerifyError(findings.wrong[0])
            return content(spoilt)

        return Kind(whole, read, lambda found: found == content(whole))

    def told(metrics: bytes) -> dict[str, Any]:
        return {name: value for name, value in json.loads(metrics).items() if name != "provenance"}

    def rows(content: bytes) -> list[list[str | float]]:
        return [list(map(value, line.split(","))) for line in content.decode().split("\n") if line]

    def value(cell: str) -> str | float:
        """A number to twelve digits, as parsers round the last ones differently."""
        try:
            return float(f"{float(cell):.12g}")
        except ValueError:
            return cell

    return {
        "metrics of a run": kind(metrics_file(first, folder), told),
        "history of a run": kind(history_file(first, folder), rows),
        "model of a run": kind(model_file(first, folder), bytes),
        "table of runs": kind(table, rows),
    }


def kinds(folder: Path) -> dict[str, Kind]:
    """Whole files of each kind; some of them lie in the folder while they are read."""
    draws, labels = np.random.default_rng(0), np.arange(12) % 3
    images, waves = draws.integers(0, 256, (12, 2, 2), dtype=np.uint8), (draws.normal(size=(6, 3, 1)), draws.normal(size=(6, 1)))
    rows = "\n".join(",".join(map(str, [label, *image.flatten()])) for image, label in zip(images, labels, strict=True))
    arrays, plain = io.BytesIO(), bytes(draws.integers(0, 99, 500, dtype=np.uint8))
    np.savez(arrays, images=images, labels=labels)
    text = ([[1, 2], [3]] * 3, [0, 1] * 3)
    return {
        "prepared images": prepared(tiny_dataset(size=8)),
        "prepared images of one's own": prepared(from_arrays("mine", (images, labels), {"test": (images, labels)})),
        "prepared series": prepared(series_from_arrays("waves", waves, {"test": waves})),
        "prepared text": prepared(text_from_tokens("words", 5, 2, 4, text, {"test": text})),
        "own NPZ": own_data("npz", arrays.getvalue()),
        "own CSV": own_data("csv", f"label,a,b,c,d\n{rows}\n".encode(), height=2, width=2),
        "gzip": packed(zlib.compress(plain, wbits=31), gunzip, plain),
        "xz": packed(lzma.compress(plain), unxz, plain),
        "checkpoint": checkpoint(),
        "jobs of a platform": jobs(),
        "answer of a platform": answers(),
    } | landed(folder / "results")


def damaged(content: bytes, draw: random.Random) -> bytes:
    """A few bits or bytes changed, a stretch lost, doubled, zeroed or moved, or the end cut off."""
    spoilt = bytearray(content)
    place, length = draw.randrange(len(spoilt)), draw.choice([1, 1, 4, 64, 512])
    match draw.randrange(7):
        case 0:
            spoilt[place] ^= 1 << draw.randrange(8)
        case 1:
            for _ in range(draw.randrange(1, 6)):
                spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
        case 2:
            del spoilt[place : place + length]
        case 3:
            spoilt[place:place] = spoilt[place : place + length]
        case 4:
            spoilt[place : place + length] = bytes(len(spoilt[place : place + length]))
        case 5:
            taken = bytes(spoilt[place : place + length])
            del spoilt[place : place + length]
            other = draw.randrange(len(spoilt) + 1)
            spoilt[other:other] = taken
        case _:
            del spoilt[place:]
    return bytes(spoilt)


def tried(kind: Kind, content: bytes, path: Path) -> str:
    """What becomes of a file with that content: refused, left out, unchanged, foreign or silent."""
    path.write_bytes(content)
    try:
        same = kind.same(kind.read(path))
    except LightweightsError:
        return "refused"
    except Exception as error:
        print(f"foreign: {type(error).__name__}: {error}", file=sys.stderr)
        return "foreign"
    return {True: "unchanged", None: "left out", False: "silent"}[same]


def campaign(count: int, seconds: float, seed: int, folder: Path) -> dict[str, Counter[str]]:
    """Of about ``count`` damaged files, shared among the kinds, what became; it ends after so many seconds, with fewer."""
    began, whole, draw = time.monotonic(), kinds(folder), random.Random(seed)
    found: dict[str, Counter[str]] = {name: Counter() for name in whole}
    for _ in range(-(-count // len(whole))):
        for name, kind in whole.items():
            content = damaged(kind.content, draw)
            found[name]["unchanged" if content == kind.content else tried(kind, content, folder / "file")] += 1
        if time.monotonic() - began > seconds:
            break
    return found


OUTCOMES = ("refused", "left out", "unchanged", "foreign", "silent")


def main() -> None:
    """Print a table, and fail where anything passed in silence or in another's words."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--count", type=int, default=15_000)
    options.add_argument("--seconds", type=float, default=600.0)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(asked.count, asked.seconds, asked.seed, Path(folder))
    print(f"| kind | tried | {' | '.join(OUTCOMES)} |\n|---|{'---|' * (len(OUTCOMES) + 1)}")
    found["all"] = sum(found.values(), Counter())
    for name, counts in found.items():
        print(f"| {name} | {sum(counts.values()):,} | {' | '.join(f'{counts[outcome]:,}' for outcome in OUTCOMES)} |")
    if found["all"]["foreign"] + found["all"]["silent"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
