"""Devices and simulators far away, through Perceval's communication layers: Quandela Cloud, Scaleway, or any other.

Each question (a circuit with its phases) is one job, named by its digest. Its number at the provider is written down before anything is
waited for, so that a study that was killed picks the job up again instead of paying for it twice; a question that was answered is never
sent again, and one that a provider may have taken without saying so is looked for before it is. Errors of the network are tried again
with growing pauses; a job that fails, is lost or takes too long is sent again, for its circuit alone, and told. No answer is believed that
cannot be one to the question (:mod:`lightweights.photonics.answers`).

Tokens come from the environment only (PCVL_CLOUD_TOKEN, SCALEWAY_CLOUD_TOKEN). They are never written down and never part of a message.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from jaxtyping import Float
from torch import Tensor

from lightweights.photonics.answers import AnswerError, counted, read_answer
from lightweights.photonics.backends import BackendError, give_photons, imported, perceval_circuit
from lightweights.photonics.circuit import Circuit
from lightweights.photonics.jobs import JobLog, Question
from lightweights.photonics.noise import Noise
from lightweights.photonics.retries import ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE, passing, pause_after, persistently, status_code, unsure
from lightweights.photonics.web import guard, jobs_by_name

__all__ = ["JobLog", "Remote", "connect", "require_token"]

TOKENS = {"quandela": "PCVL_CLOUD_TOKEN", "scaleway": "SCALEWAY_CLOUD_TOKEN"}
PROJECT = "SCALEWAY_PROJECT_ID"
LONGEST_SESSION = 24 * 3600
"""Seconds that a session may last; it also ends after 20 minutes without a job (Perceval's default)."""

LONGEST_NUMBER = 200
"""Characters of the number of a job."""
MOST_SAID = 1000
"""Characters of what a provider says that a message repeats, those only that cannot steer a terminal."""

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class _LostError(Exception):
    """A job that the provider does not know any more, or whose results it has lost."""


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
            most = limits.get(f"max_{what}_count") if isinstance(limits, Mapping) else limits
            if not isinstance(most, int | float | None):
                said = self._without_token(str(most))
                raise BackendError(f"platform {name} says that it has at most {said} {what}s, which is no number; choose another platform")
            if most is not None and value > most:
                raise BackendError(f"platform {name} has at most {most} {what}s; a circuit of {value} was asked for: use smaller circuits")
        if not any(command.name == "sample_count" for command in self._layer.get_commands()):
            raise BackendError(f"platform {name} cannot count samples; choose another platform")

    def ask(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Float[Tensor, " outcomes"]:
        """Frequencies of the outcomes among what the job has counted, times the share of shots that the platform says it counted,
        float64. Raises BackendError where no answer can be had.
        """
        return self._answer(self.question(circuit, phases))

    def question(self, circuit: Circuit, phases: Float[Tensor, " phases"]) -> Question:
        """What a job is to answer."""
        return Question(self._layer.name, self._shots, str(self._noise), circuit, phases)

    def _answer(self, question: Question) -> Tensor:
        told = ""
        for attempt in range(self._attempts):
            if attempt:
                self._sleep(pause_after(attempt))
            job = self._log.find(question.key)
            if job is None:
                job = self._send(question)
                self._log.write(question, job)
            try:
                status = self._wait(job)
                if status is not None and status.success:
                    answer = self._counted(job, question)
                    if float(answer.sum()) > 0:
                        return answer
                    told = f"job {job} counted no cycle in which {question.circuit.photons} modes clicked; use more shots"
                elif status is None:
                    told = f"job {job} has not ended after {self._patience:g} s"
                    self._cancel(job)
                else:
                    told = f"job {job} ended as {status()}: {self._without_token(str(status.stop_message))}"
            except _LostError as error:
                told = f"job {job} is lost ({error})"
            self._log.write(question, None)
            _LOG.warning("platform %s: %s%s", self._layer.name, told, "; sent again" if attempt + 1 < self._attempts else "")
        raise BackendError(f"platform {self._layer.name}: {told}; {self._attempts} attempts were made")

    def _send(self, question: Question) -> str:
        """The number of the job that was sent, or that had been sent without an answer and is found at the provider."""
        name = self._layer.name
        unanswered = self._log.unanswered(question.key)
        if unanswered:
            found = self._sent_before(unanswered)
            if found:
                return found
            _LOG.warning("platform %s: job %r was on its way when the last process ended; sent again", name, unanswered)
        called = self._log.sending(question)
        for attempt in range(1, self._attempts + 1):
            payload = self._persistently(partial(self._payload, question, called))
            try:
                return job_number(self._layer.send(payload))
            except BackendError:
                raise
            except Exception as error:  # providers raise what their libraries raise
                if unsure(error):
                    found = self._sent_before(called)
                    if found:
                        return found
                    if found is None:
                        raise BackendError(
                            f"platform {name}: no answer to a job that it may have taken ({self._without_token(str(error))}). Look for "
                            f"{called!r} among its jobs and cancel it where it is there; started again, the run sends it once more"
                        ) from None
                if attempt == self._attempts or not passing(error):
                    self._log.write(question, None)
                    raise BackendError(self._explained(error)) from None
            self._sleep(pause_after(attempt))
        raise AssertionError

    def _sent_before(self, name: str) -> str | None:
        """The number of the job that was sent by a name, "" where the provider has none, None where it cannot tell."""
        jobs = jobs_by_name(self._layer)
        if jobs is None:
            return None
        try:
            return persistently(jobs, self._attempts, self._sleep).get(name, "")
        except Exception as error:
            raise BackendError(self._explained(error)) from None

    def _counted(self, job: str, question: Question) -> Tensor:
        """The answer of a job that has ended. One that cannot be right is fetched once more, as it may have suffered on its way."""
        exact = str(self._layer.get_specs().get("type", "simulator")) == "simulator"
        brightest = 1 if exact and self._noise is not None and not self._noise.g2 else 2
        for again in (True, False):
            try:
                found = self._of_job(partial(self._results, job))
                if not isinstance(found, dict) or found.get("results") is None:
                    raise _LostError("an answer without results")
                return counted(question.circuit, found, self._shots, exact, brightest)
            except AnswerError as error:
                if not again:
                    self._log.write(question, None)
                    raise AnswerError(
                        f"platform {self._layer.name}: the answer of job {job} is refused: {self._without_token(str(error))}. Nothing of "
                        "it is used; tell the provider, and start again: the question is sent anew"
                    ) from None
        raise AssertionError

    def _results(self, job: str) -> Any:
        """A job's results as they come; those of Perceval's clients are read here, since they would call what an answer names."""
        handler = getattr(self._layer, "_rpc_handler", None)
        if handler is None:
            return self._layer.get_results(job)
        response = handler.get_job_results(job)
        text = response.get("results") if isinstance(response, dict) else None
        return read_answer(text) if text else None

    def _of_job(self, request: Callable[[], T]) -> T:
        """A request's answer about a job. Raises _LostError where the provider does not know it, and BackendError."""
        try:
            return persistently(request, self._attempts, self._sleep)
        except (BackendError, _LostError):
            raise
        except Exception as error:
            if status_code(error) in (404, 410):
                raise _LostError(self._without_token(str(error))) from None
            raise BackendError(self._explained(error)) from None

    def _wait(self, job: str) -> Any:
        """The status of a job that has ended; None when patience ends first."""
        waited, pause, errors = 0.0, FIRST_PAUSE, 0
        while True:
            status = self._of_job(partial(self._layer.get_job_status, job, errors))
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

    def _payload(self, question: Question, name: str) -> dict[str, Any]:
        pcvl, circuit = self._pcvl, question.circuit
        experiment = pcvl.Experiment(perceval_circuit(circuit, question.phases))
        experiment.min_detected_photons_filter(circuit.photons)
        give_photons(experiment, circuit)
        factory = pcvl.runtime.ExecutionFactory(self._computer, experiment, max_shots_per_call=self._shots)
        computation = factory.build_computation("sample_count")
        computation.add_params(max_samples=self._shots, max_shots=self._shots)
        computation.job_name = name
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
        name, code = getattr(self._layer, "name", "the platform"), status_code(error)
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
        return "".join(sign if sign.isprintable() else " " for sign in text[:MOST_SAID])


def job_number(told: Any) -> str:
    """The number of a job that was sent. Raises ValueError where the provider gave none."""
    if isinstance(told, bool) or not isinstance(told, str | int) or not 0 < len(str(told)) <= LONGEST_NUMBER:
        raise ValueError(f"{str(told)[:50]!r} is no number of a job")
    return str(told)


def connect(platform: str, session: str = "lightweights") -> Any:
    """Perceval's communication layer of ``provider:platform``, for example ``quandela:qpu:belenos`` or ``scaleway:sim:ascella``.

    ``session``: name of the provider's session, where it has one; a session of that name that is still open is taken up again.
    Raises BackendError without a token, for an unknown provider or platform, and where the provider cannot be reached.
    """
    provider, _, name = platform.partition(":")
    token = require_token(platform)
    providers = imported("perceval.providers", "photonics", "perceval-quandela")
    guard()

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
        text, code = Remote._without_token(f"{type(error).__name__}: {error}"), status_code(error)
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
