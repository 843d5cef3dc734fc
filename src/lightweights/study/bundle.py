"""`lightweights bundle`: one run with all that its number follows from, as an RO-Crate (https://w3id.org/ro/crate/1.1) in one zip file.

Model, history, metrics and settings of the run, the lock file of the environment, and in ro-crate-metadata.json what each is, with its
digest, the commit of the code and the digest of the data. Data itself is public and not packed. Equal runs give equal bytes.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from lightweights.errors import LightweightsError
from lightweights.files import write_atomic
from lightweights.study.layout import RESULTS, history_file, metrics_file
from lightweights.study.models import LARGEST, Landed, folder_of, found_model, read_landed, read_model

METADATA = "ro-crate-metadata.json"
LOCK = "requirements.lock"
PROFILE = "https://w3id.org/ro/crate/1.1"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of all files in a bundle: when it was packed says nothing."""

FILES = ("metrics.json", "history.csv", "model.safetensors", "settings.json", LOCK)
WORDS = {
    "metrics.json": "Final numbers, settings and provenance of the run",
    "history.csv": "One row a round or epoch",
    "model.safetensors": "The numbers that were trained",
    "settings.json": "All settings that decide the run's numbers, its seed aside",
    LOCK: "Versions of all packages",
}


class BundleError(LightweightsError):
    """A bundle that cannot be written or read; names the file and what is wrong."""


def write_bundle(name: str, file: Path | None = None, results: Path = RESULTS, lock: Path = Path(LOCK)) -> Path:
    """Pack a run. Raises LightweightsError where it is not here, or has no model."""
    landed = read_landed(folder_of(name, results))
    read_model(landed)
    place = found_model(landed.run, landed.results)
    assert place is not None
    contents = {
        "metrics.json": metrics_file(landed.run, landed.results).read_bytes(),
        "history.csv": history_file(landed.run, landed.results).read_bytes(),
        "model.safetensors": place.read_bytes(),
        "settings.json": landed.run.settings.to_json().encode(),
    }
    if lock.is_file():
        contents[LOCK] = lock.read_bytes()
    crate = json.dumps(metadata(landed, contents), indent=2) + "\n"
    file = file or Path(f"{landed.run.study}-{landed.run.key.replace('/', '-')}.zip")
    write_atomic(file, _zipped({METADATA: crate.encode()} | contents))
    return file


def metadata(landed: Landed, contents: dict[str, bytes]) -> dict[str, Any]:
    """The description of a bundle, as JSON-LD."""
    origin = landed.metrics["provenance"]
    numbers = [{"@type": "PropertyValue", "name": name, "value": value} for name, value in landed.metrics["final"].items()]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": landed.name,
        "description": f"A run of method {landed.run.settings.method} on {landed.run.settings.dataset.name}, with its trained numbers",
        "datePublished": origin.get("finished"),
        "license": "see the project's LICENSE",
        "version": origin.get("commit"),
        "softwareRequirements": [f"{name} {version}" for name, version in origin.get("versions", {}).items()],
        "isBasedOn": {"@id": f"urn:sha256:{origin.get('data_sha256')}"},
        "variableMeasured": numbers,
        "hasPart": [{"@id": name} for name in contents],
    }
    data = {"@id": f"urn:sha256:{origin.get('data_sha256')}", "@type": "Dataset", "name": landed.run.settings.dataset.name}
    described = {"@id": METADATA, "@type": "CreativeWork", "conformsTo": {"@id": PROFILE}, "about": {"@id": "./"}}
    files = [
        {"@id": name, "@type": "File", "name": WORDS[name], "contentSize": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    ]
    return {"@context": f"{PROFILE}/context", "@graph": [described, root, data, *files]}


def unpacked(file: Path, folder: Path) -> Landed:
    """The run of a bundle, laid out below an empty folder. Raises BundleError where the file is none, or damaged."""
    try:
        with zipfile.ZipFile(file) as packed:
            sizes = {entry.filename: entry.file_size for entry in packed.infolist()}
            if unknown := sorted(set(sizes) - {METADATA, *FILES}):
                raise BundleError(f"{file}: {unknown[0]} is no part of a bundle")
            if sum(sizes.values()) > LARGEST:
                raise BundleError(f"{file}: {sum(sizes.values()):,} bytes unpacked; at most {LARGEST:,}")
            contents = {name: packed.read(name) for name in sizes}
        parts = {part["@id"]: part["sha256"] for part in json.loads(contents.pop(METADATA))["@graph"] if part["@type"] == "File"}
        for name, digest in parts.items():
            if hashlib.sha256(contents[name]).hexdigest() != digest:
                raise BundleError(f"{file}: {name} does not have the digest that {METADATA} says")
        run = json.loads(contents["metrics.json"])["run"]
        place = folder / run["study"] / "runs" / run["experiment"] / run["variant"] / f"seed-{run['seed']}"
        if not place.resolve().is_relative_to(folder.resolve()):
            raise BundleError(f"{file}: its run's name leads elsewhere")
    except FileNotFoundError:
        raise BundleError(f"{file}: no such file") from None
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError, RecursionError, zipfile.BadZipFile) as error:
        raise BundleError(f"{file}: not a bundle of a run ({error}); `lightweights bundle` writes one") from None
    for name in ("metrics.json", "history.csv", "model.safetensors"):
        if name not in contents:
            raise BundleError(f"{file}: {name} is missing")
        write_atomic(place / name, contents[name])
    return read_landed(place)


def _zipped(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in contents.items():
            packed.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
