"""What a platform far away answers: read without running anything it names, and checked before it is believed.

Perceval's clients turn an answer into objects by the names that stand in it. Here an answer may hold numbers, text and states of photons
only; the one function that it may name is one of ``perceval.utils`` that counts samples. A count is believed where it can be that of the
circuit: its modes, its photons, no more detections than were paid for, and as many as the performance lets expect.
"""

import base64
import json
import math
import numbers
import zlib
from collections.abc import Iterator
from typing import Any

from jaxtyping import Float
from torch import Tensor

from lightweights.photonics.backends import BackendError, imported, shares
from lightweights.photonics.circuit import Circuit

LARGEST = 64 * 2**20
"""Bytes of an answer, packed or not. A count of 4,000,000 outcomes would be larger; a question's shots are far fewer."""

CONVERTERS = {("perceval.utils", "samples_to_sample_count"), ("perceval.utils", "probs_to_sample_count")}
"""What Perceval itself asks a platform of an older version to name, module and function."""

PLAIN = {"None", "bool", "int", "float", "complex", "str", "list", "dict", "tuple", "set", "type"}
STATES = {"BasicState", "FockState", "NoisyFockState", "AnnotatedFockState", "StateVector", "SVDistribution"} | {
    "BSDistribution",
    "BSCount",
    "BSSamples",
}
REACHING = ("perceval.providers", "perceval.runtime")
HARMLESS = {"Command", "Specs", "RunningStatus", "ExecutionStatus"}
"""Of the classes whose home is REACHING, all of which could speak to a provider, those that cannot."""

DEEPEST = 20
"""How deep texts within texts are looked into."""

STRAY = 6.0
"""Standard deviations that a count may lie away from what its performance lets expect."""


class AnswerError(BackendError):
    """An answer that cannot be right: refused, whatever it would have given."""


def read_answer(text: Any) -> dict[str, Any]:
    """The results in the text of an answer, as Perceval's client reads it. Raises AnswerError where it is no answer, too large, or names
    what it must not; nothing in it is imported, called or built before that is known.
    """
    if not isinstance(text, str):
        raise AnswerError(f"an answer of {type(text).__name__}, expected text")
    serialization = imported("perceval.serialization", "photonics", "perceval-quandela")
    try:
        content = json.loads(_bounded(text))
        if unknown := set(named(content)) - PLAIN - STATES:
            raise AnswerError(f"an answer that holds {', '.join(sorted(unknown))}; only numbers, text and states are read")
        found = serialization.deserialize(content, strict=False)
        return converted(found) if isinstance(found, dict) else {}
    except (AnswerError, MemoryError):
        raise
    except Exception as error:  # Perceval's readers and its library in C++ raise many kinds
        raise AnswerError(f"an answer that cannot be read ({type(error).__name__}: {str(error)[:200]})") from None


def converted(found: dict[str, Any]) -> dict[str, Any]:
    """Results as counts, where a platform answers with samples or probabilities and says how they are counted."""
    context = found.get("job_context") or {}
    mapping = context.get("result_mapping") if isinstance(context, dict) else None
    if mapping is not None:
        if not isinstance(mapping, list | tuple) or tuple(mapping) not in CONVERTERS:
            raise AnswerError(f"an answer that asks to call {str(mapping)[:200]}; only perceval.utils' own counting is")
        arguments = context.get("mapping_delta_parameters") or {}
        if not isinstance(arguments, dict) or not all(_is_count(value) and value <= LARGEST for value in arguments.values()):
            raise AnswerError(f"an answer that asks to count with {str(arguments)[:200]}")
        utils = imported("perceval.utils", "photonics", "perceval-quandela")
        found = found | {"results": getattr(utils, mapping[1])(found["results"], **arguments)}
    if "global_perf" not in found and {"physical_perf", "logical_perf"} <= set(found):
        found = found | {"global_perf": found["physical_perf"] * found["logical_perf"]}
    return found


def counted(circuit: Circuit, found: dict[str, Any], shots: int, exact: bool, brightest: int = 2) -> Float[Tensor, " outcomes"]:
    """Shares of the circuit's outcomes among what was counted, times the share of shots that counted, float64.

    Args:
        circuit: what was asked about; every state counted has its modes and at least its photons.
        found: ``results``, counts by state, and ``global_perf``.
        shots: the most that was to be counted.
        exact: a simulator, which gives as many samples as were asked for, or as its performance leaves of them; a device may give more than
            that, since its performance is a share of other cycles.
        brightest: photons that a source may emit at once.

    Raises:
        AnswerError: what cannot be an answer to this question.
    """
    told = found.get("global_perf", 1.0)
    performance = float(told) if isinstance(told, numbers.Real) and not isinstance(told, bool) else math.nan
    if not 0 <= performance <= 1 + 1e-9:
        raise AnswerError(f"a performance of {str(told)[:50]}, expected 0 to 1")
    performance = min(performance, 1.0)
    try:
        states = [([int(n) for n in state], count) for state, count in found["results"].items()]
    except (AttributeError, TypeError, ValueError):
        raise AnswerError(f"results of type {type(found['results']).__name__} that are no counts by state") from None
    total = 0
    for state, count in states:
        if not _is_count(count):
            raise AnswerError(f"a count of {str(count)[:50]!r}, expected whole numbers from 0")
        if len(state) != circuit.modes:
            raise AnswerError(f"a state of {len(state)} modes, the circuit has {circuit.modes}")
        if min(state) < 0 or not circuit.photons <= sum(state) <= brightest * circuit.photons:
            raise AnswerError(f"a state of {sum(state)} photons, expected {circuit.photons} to {brightest * circuit.photons}")
        total += int(count)
    if total and not performance:
        raise AnswerError(f"{total} detections at a performance of 0")
    if total > shots:
        raise AnswerError(f"{total} detections, {shots} were asked for")
    expected = shots * performance
    stray = STRAY * math.sqrt(expected * (1 - expected / shots)) + (performance < 1 - 1e-9)
    if total < expected - stray or (exact and expected + stray < total < shots):
        raise AnswerError(f"{total} detections of {shots} shots at a performance of {performance:g}: a part of the answer is missing")
    return performance * shares(circuit, found["results"], clipped=True)


def named(content: Any, depth: int = 0) -> Iterator[str]:
    """The classes that Perceval would build from JSON content, by their tags; texts within texts are looked into. Raises AnswerError
    where it unpacks to too much.
    """
    if depth > DEEPEST:
        raise AnswerError("an answer of texts within texts without end")
    if isinstance(content, dict):
        if content.get("header") == "pcvlar":
            yield from (str(entry[0]) for entry in content.get("data", ()))
            return  # what stands inside an archive is no text to be read again
        for key, value in content.items():
            yield from named(key, depth + 1)
            yield from named(value, depth + 1)
    elif isinstance(content, list):
        for value in content:
            yield from named(value, depth + 1)
    elif isinstance(content, str):
        if content.startswith(":PCVL:"):
            inner = _unpacked(content, ":PCVL:zip:", "")
            yield inner.removeprefix(":PCVL:").split(":", 1)[0]
        elif content.startswith("pcvlar"):
            archive = imported("perceval.serialization.library", "photonics", "perceval-quandela").InputArchive
            yield from (str(tag) for tag, _ in archive.from_text(_unpacked(content, "pcvlar:zip:", "pcvlar")).memo)
        elif content[:1] in ("{", "[", '"'):
            try:
                inner = json.loads(content)
            except ValueError:
                return
            yield from named(inner, depth + 1)


def refuse_reaching(content: Any) -> None:
    """Raises AnswerError where JSON content of a provider would make Perceval build what speaks to a provider, token in hand."""
    registry = imported("perceval.serialization.library.class_registry", "photonics", "perceval-quandela").ClassRegistry
    for tag in set(named(content)) - HARMLESS:
        kind = getattr(registry._serializers_by_tag.get(tag), "type", None)
        if kind is not None and kind.__module__.startswith(REACHING):
            raise AnswerError(f"an answer that holds {tag}, which could speak to a provider")


def _bounded(text: str) -> str:
    if len(text) > LARGEST:
        raise AnswerError(f"an answer of more than {LARGEST:,} bytes")
    return text


def _unpacked(text: str, packed: str, head: str) -> str:
    """The text, unpacked where it starts as packed ones do, at most LARGEST bytes."""
    if not text.startswith(packed):
        return text
    data = zlib.decompressobj().decompress(base64.b64decode(text[len(packed) :]), LARGEST + 1)
    if len(data) > LARGEST:
        raise AnswerError(f"an answer that unpacks to more than {LARGEST:,} bytes")
    return head + data.decode()


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= 0
