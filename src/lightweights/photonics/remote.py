"""Devices and simulators far away, through Perceval's communication layers: Quandela Cloud, Scaleway, or any other.

Each question (a circuit with its phases) is one job. Its number at the provider is written down before anything is waited for, so that a
study that was killed picks the job up again instead of paying for it twice; a question that was answered is never sent again. Errors
of the network are tried again with growing pauses; a job that fails or takes too long is sent again, for its circuit alone.

Tokens come from the environment only (PCVL_CLOUD_TOKEN, SCALEWAY_CLOUD_TOKEN). They are never written down and never part of a message.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from jaxtyping import Float
from torch import Tensor

from lightweights.photonics.backends import BackendError, give_photons, imported, perceval_circuit, shares
from lightweights.photonics.circuit import Circuit
from lightweights.photonics.noise import Noise

TOKENS = {"quandela": "PCVL_CLOUD_TOKEN", "scaleway": "SCALEWAY_CLOUD_TOKEN"}
PROJECT = "SCALEWAY_PROJECT_ID"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the second attempt, and at most; each pause is twice the one before."""
ATTEMPTS = 5
"""How often a request, or a job, is tried."""
LONGEST_SESSION = 24 * 3600
"""Seconds that a session may last; it also ends after 20 minutes without a job (Perceval's default)."""

T = TypeVar("T")


class JobLog:
    """Numbers of jobs by question, in a file of one JSON line a job. Safe to use from several threads of one process."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock, self._jobs = path, threading.Lock(), {}
        if path is not None and path.is_file():
            for line in path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                    self._jobs[entry["question"]] = entry["job"]
                except (ValueError, KeyError, TypeError):
                    continue  # the last line of a killed process may be cut off

    def find(self, question: str) -> str | None:
        """The job that was sent for a question, if there is one that has not failed."""
        with self._lock:
            return self._jobs.get(question)

    def write(self, question: str, job: str | None) -> None:
        """Remember the job of a question, or with None that it failed. On disk when this returns."""
        with self._lock:
            self._jobs[question] = job
            if self._path is None:
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(json.dumps({"question": question, "job": job}) + "\n")
                file.flush()
                os.fsync(file.fileno())


class Remote:
    """A backend behind one of Perceval's communication layers.

    ``shots``: detections of one photon at least that a question may cost (Perceval's max_shots). ``noise`` is for remote simulators;
    devices have their own. ``patience``: seconds to wait for one job. ``attempts``: how often a request, or a job, is tried.
    """

    def __init__(
        self,
        layer: Any,
        shots: int,
        log: JobLog,
        *,
        noise: Noise | None = None,
        patience: float = 3600.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pcvl = imported("perceval", "photonics", "perceval-quandela")
        self._layer, self._shots, self._log = layer, shots, log
        self._patience, self._attempts, self._sleep = patience, attempts, sleep
        self._computer = self._persistently(lambda: self._pcvl.runtime.RemoteComputer(layer))
        self._noise = noise
        if noise is not None:
            self._computer.noise = self._pcvl.NoiseModel(**vars(noise))

    def close(self) -> None:
        """End the provider's session, where it has one (Scaleway bills it until then). A session that is over already is no error."""
        stop = getattr(self._layer, "stop_session", None)
        try:
            if stop is not None:
                stop()
        except Exception as error:  # it ends by itself after a while without jobs
            del error

    def check(self, circuit: Circuit) -> None:
        """Raises BackendError where the platform cannot run the circuit: too few modes, too many photons, no counting of samples."""
        limits, name = self._computer.specs.constraints or {}, self._layer.name
        for what, value in (("mode", circuit.modes), ("photon", circuit.photons)):
            most = limits.get(f"max_{what}_count")
            if most is not None and value > most:
                raise BackendError(f"platform {name} has at most {most} {what}s; a circuit of {value} was asked for: use smaller circuits")
        if not any(command.name == "sample_count" for command in self._layer.get_commands()):
            raise BackendError(f"platform {name} cannot count samples; choose another platform")

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """Frequencies of the outcomes among what the job has counted, times the share of shots that the platform says it counted,
        float64. Raises BackendError where no answer can be had.
        """
        return self._answer(self.question(circuit, phases), circuit, phases)

    def question(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> str:
        """What identifies a question: platform, shots, noise, circuit and phases."""
        what = [self._layer.name, self._shots, str(self._noise), circuit.mesh.kind, circuit.modes, circuit.inputs]
        return hashlib.sha256(json.dumps([*what, phases.detach().double().tolist()]).encode()).hexdigest()

    def _answer(self, question: str, circuit: Circuit, phases: Tensor) -> Tensor:
        told = ""
        for attempt in range(self._attempts):
            if attempt:
                self._sleep(_pause(attempt))
            job = self._log.find(question)
            if job is None:
                job = self._persistently(lambda: self._layer.send(self._payload(circuit, phases)))
                self._log.write(question, str(job))
            status = self._wait(job)
            if status is not None and status.success:
                found = self._persistently(partial(self._layer.get_results, job))
                answer = float(found.get("global_perf") or 1) * shares(circuit, found["results"], clipped=True)
                if float(answer.sum()) > 0:
                    return answer
                told = f"job {job} counted no cycle in which {circuit.photons} modes clicked; use more shots"
            elif status is None:
                told = f"job {job} has not ended after {self._patience:g} s"
                self._cancel(job)
            else:
                told = f"job {job} ended as {status()}: {self._without_token(str(status.stop_message))}"
            self._log.write(question, None)
        raise BackendError(f"platform {self._layer.name}: {told}; {self._attempts} attempts were made")

    def _wait(self, job: str) -> Any:
        """The status of a job that has ended; None when patience ends first."""
        waited, pause, errors = 0.0, FIRST_PAUSE, 0
        while True:
            status = self._persistently(partial(self._layer.get_job_status, job, errors))
            errors = errors + 1 if status is None else 0
            if status is not None and status.completed:
                return status
            if waited >= self._patience:
                return None
            self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_PAUSE)

    def _cancel(self, job: str) -> None:
        try:
            self._layer.cancel(job)
        except Exception as error:  # it may have ended meanwhile; a job that cannot be cancelled harms nobody
            del error

    def _payload(self, circuit: Circuit, phases: Tensor) -> dict[str, Any]:
        pcvl = self._pcvl
        experiment = pcvl.Experiment(perceval_circuit(circuit, phases))
        experiment.min_detected_photons_filter(circuit.photons)
        give_photons(experiment, circuit)
        factory = pcvl.runtime.ExecutionFactory(self._computer, experiment, max_shots_per_call=self._shots)
        computation = factory.build_computation("sample_count")
        computation.add_params(max_samples=self._shots, max_shots=self._shots)
        computation.job_name = f"lightweights {circuit.modes} modes {circuit.photons} photons"
        self._computer.validate_single(computation)
        return self._computer.prepare_payload(computation)

    def _persistently(self, request: Callable[[], T]) -> T:
        """A request's answer. Raises BackendError for errors that do not pass."""
        try:
            return persistently(request, self._attempts, self._sleep)
        except BackendError:
            raise
        except Exception as error:  # providers raise what their libraries raise
            raise BackendError(self._explained(error)) from None

    def _explained(self, error: Exception) -> str:
        name, code = getattr(self._layer, "name", "the platform"), _status_code(error)
        text = self._without_token(f"{type(error).__name__}: {error}")
        if code in (401, 403):
            return f"platform {name} refuses the token of {' or '.join(TOKENS.values())} ({text}); get a new one"
        if code == 404:
            return f"platform {name} is not known to the provider ({text}); check photonics.platform"
        return f"platform {name} does not answer ({text})"

    @staticmethod
    def _without_token(text: str) -> str:
        for variable in TOKENS.values():
            if os.environ.get(variable):
                text = text.replace(os.environ[variable], "***")
        return text


def connect(platform: str, session: str = "lightweights") -> Any:
    """Perceval's communication layer of ``provider:platform``, for example ``quandela:qpu:belenos`` or ``scaleway:sim:ascella``.

    ``session``: name of the provider's session, where it has one; a session of that name that is still open is taken up again.
    Raises BackendError without a token, for an unknown provider or platform, and where the provider cannot be reached.
    """
    provider, _, name = platform.partition(":")
    token = require_token(platform)
    providers = imported("perceval.providers", "photonics", "perceval-quandela")

    def opened() -> Any:
        if provider != "scaleway":
            return providers.QuandelaCommunicationLayer(name, token)
        layer = providers.ScalewayCommunicationLayer(
            name, os.environ[PROJECT], token, max_duration_s=LONGEST_SESSION, deduplication_id=session
        )
        layer.start_session()
        return layer

    try:
        return persistently(opened)
    except Exception as error:
        text, code = Remote._without_token(f"{type(error).__name__}: {error}"), _status_code(error)
        remedy = "get a new token" if code in (401, 403) else "check the name of the platform (photonics.platform) and the network"
        raise BackendError(f"platform {platform} cannot be opened ({text}); {remedy}") from None


def require_token(platform: str) -> str:
    """The token for a platform. Raises BackendError where the provider is unknown or the environment has none."""
    provider, _, name = platform.partition(":")
    if provider not in TOKENS or not name:
        raise BackendError(f"photonics.platform {platform!r}: expected provider:name with provider one of {', '.join(TOKENS)}")
    token = os.environ.get(TOKENS[provider], "")
    if not token:
        raise BackendError(f"no token for {provider}: set the environment variable {TOKENS[provider]}; it is never written down")
    if provider == "scaleway" and not os.environ.get(PROJECT):
        raise BackendError(f"no project for scaleway: set the environment variable {PROJECT}")
    return token


def persistently(request: Callable[[], T], attempts: int = ATTEMPTS, sleep: Callable[[float], None] = time.sleep) -> T:
    """A request's answer; after errors that may pass it is made again, with growing pauses. Raises what the last attempt raised."""
    for attempt in range(1, attempts):
        try:
            return request()
        except Exception as error:
            if not passing(error):
                raise
        sleep(_pause(attempt))
    return request()


def passing(error: Exception) -> bool:
    """Whether trying again may help: no connection, a time-out, a busy or failing server."""
    code = _status_code(error)
    if code is not None:
        return code in (408, 409, 421, 423, 425, 429) or code >= 500
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    requests = imported("requests", "photonics", "requests")
    return isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout)


def _status_code(error: Exception) -> int | None:
    code = getattr(getattr(error, "response", None), "status_code", None)
    if code is None:  # Perceval passes some answers on as text
        for word in str(error).replace(",", " ").split():
            if word.isdigit() and len(word) == 3 and word[0] in "45":
                return int(word)
    return code


def _pause(attempt: int) -> float:
    return min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
