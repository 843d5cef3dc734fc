"""What platforms far away answer: right answers are believed, and of thousands of wrong ones none is; nothing in them is run."""

import base64
import json
import math
import os
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("perceval")

import requests
from cloud import Cloud, archived, cloud
from perceval import BasicState, BSCount
from perceval.providers.quandela.remote_config import RemoteConfig
from perceval.providers.quandela.rpc_handler import RPCHandler
from perceval.providers.scaleway.scaleway_config import ScalewayConfig
from perceval.serialization import serialize

from lightweights.photonics import Circuit
from lightweights.photonics.answers import LARGEST, AnswerError, converted, counted, named, read_answer, refuse_reaching
from lightweights.photonics.backends import BackendError
from lightweights.photonics.jobs import JobLog
from lightweights.photonics.remote import MOST_SAID, Remote, connect
from lightweights.photonics.retries import unsure
from lightweights.photonics.web import Guarded, guard

CIRCUIT, SHOTS = Circuit(5, 2), 1000
PHASES = CIRCUIT.random_phases(torch.Generator().manual_seed(4), torch.float64)
PROVIDERS = ["quandela", "scaleway"]


def right(draw: random.Random) -> dict[str, Any]:
    """An answer as a simulator gives it: all shots counted, or those that its performance leaves."""
    performance = draw.choice([1.0, 1.0000000000000004, draw.uniform(0.05, 1)])
    total = SHOTS if performance >= 1 or draw.random() < 0.5 else round(SHOTS * performance)
    counts: dict[BasicState, int] = {}
    for _ in range(total):
        modes = [draw.randrange(5), draw.randrange(5), *([draw.randrange(5)] if draw.random() < 0.02 else [])]
        state = BasicState([modes.count(mode) for mode in range(5)])
        counts[state] = counts.get(state, 0) + 1
    return {"results": counts, "global_perf": performance}


def other_modes(answer: dict, draw: random.Random, modes: int) -> dict:
    counts = {BasicState((list(state) + [0] * 5)[:modes]): count for state, count in answer["results"].items()}
    return answer | {"results": counts}


def with_count(answer: dict, draw: random.Random, make: Callable[[int], Any]) -> dict:
    counts = dict(answer["results"])
    state = draw.choice(list(counts))
    counts[state] = make(counts[state])
    return answer | {"results": counts}


def fewer(answer: dict, draw: random.Random) -> dict:
    """A part of the dictionary is missing: enough that chance does not explain it."""
    counts = dict(answer["results"])
    gone, total = 0, sum(counts.values())
    performance = min(answer["global_perf"], 1.0)
    least = (total - SHOTS * performance if total < SHOTS else 0) + 12 * math.sqrt(SHOTS * performance * (1 - performance)) + 3
    for state in draw.sample(list(counts), len(counts)):
        if gone > least and draw.random() < 0.5 and (total - gone < SHOTS * performance - least or performance >= 1):
            break
        gone += counts.pop(state)
    return answer | {"results": counts}


WRONG: dict[str, Callable[[dict, random.Random], Any]] = {
    "too few modes": lambda answer, draw: other_modes(answer, draw, draw.randrange(1, 5)),
    "too many modes": lambda answer, draw: other_modes(answer, draw, draw.randrange(6, 11)),
    "another circuit": lambda answer, draw: other_modes(answer, draw, draw.choice([4, 6])),
    "too few photons": lambda answer, draw: answer | {"results": answer["results"] | {BasicState([0, 0, draw.randrange(2), 0, 0]): 1}},
    "too many photons": lambda answer, draw: answer | {"results": answer["results"] | {BasicState([0, 0, draw.randrange(5, 99), 0, 0]): 1}},
    "negative": lambda answer, draw: with_count(answer, draw, lambda count: -draw.randrange(1, 1000)),
    "text": lambda answer, draw: with_count(answer, draw, str),
    "half": lambda answer, draw: with_count(answer, draw, lambda count: count + 0.5),
    "a float": lambda answer, draw: with_count(answer, draw, float),
    "not a number": lambda answer, draw: with_count(answer, draw, lambda count: math.nan),
    "endless": lambda answer, draw: with_count(answer, draw, lambda count: math.inf),
    "true": lambda answer, draw: with_count(answer, draw, lambda count: True),
    "nothing": lambda answer, draw: with_count(answer, draw, lambda count: None),
    "more than was paid for": lambda answer, draw: with_count(answer, draw, lambda count: count + SHOTS + draw.randrange(1, 10**9)),
    "a performance above 1": lambda answer, draw: answer | {"global_perf": draw.choice([7, 1.001, math.inf])},
    "a performance below 0": lambda answer, draw: answer | {"global_perf": -draw.uniform(1e-9, 9)},
    "no performance": lambda answer, draw: answer | {"global_perf": draw.choice([math.nan, None, "1", True, [1]])},
    "performance 0 with counts": lambda answer, draw: with_count(answer, draw, lambda count: max(1, count - 500)) | {"global_perf": 0.0},
    "truncated": fewer,
    "empty": lambda answer, draw: answer | {"results": {}},
    "other results": lambda answer, draw: answer | {"results": draw.choice([3, "|1,1,0,0,0>", [1, 2], {"a": 1}, {3: 4}, {"": 1}])},
    "states of other things": lambda answer, draw: answer | {"results": {(1, 1, "x", 0, 0): 5, (1, 1, 0, 0, 0): 995}},
    "probabilities": lambda answer, draw: answer | {"results": {state: count / SHOTS for state, count in answer["results"].items()}},
}


@pytest.mark.whole
def test_right_answers_are_believed() -> None:
    draw = random.Random(0)
    for _ in range(300):
        answer = right(draw)
        found = counted(CIRCUIT, answer, SHOTS, exact=True)
        total, performance = sum(answer["results"].values()), min(answer["global_perf"], 1)
        for outcome, share in zip(CIRCUIT.outcomes(), found.tolist(), strict=True):
            clicks = sum(count for state, count in answer["results"].items() if tuple(m for m in range(5) if state[m]) == outcome)
            assert share == pytest.approx(performance * clicks / total)


@pytest.mark.whole
@pytest.mark.parametrize("kind", WRONG)
def test_none_of_the_wrong_answers_is_believed(kind: str) -> None:
    draw = random.Random(kind)
    for _ in range(100):
        answer = WRONG[kind](right(draw), draw)
        with pytest.raises(AnswerError):
            found = counted(CIRCUIT, answer, SHOTS, exact=True)
            pytest.fail(f"believed: {answer} as {found}")


def test_a_device_may_count_more_than_its_performance_says_but_not_less() -> None:
    counts = {BasicState([1, 1, 0, 0, 0]): 400}
    counted(CIRCUIT, {"results": counts, "global_perf": 0.1}, SHOTS, exact=False)
    with pytest.raises(AnswerError, match=r"400 detections of 1000 shots at a performance of 0\.1: a part of the answer is missing"):
        counted(CIRCUIT, {"results": counts, "global_perf": 0.1}, SHOTS, exact=True)
    with pytest.raises(AnswerError, match="a part of the answer is missing"):
        counted(CIRCUIT, {"results": counts, "global_perf": 0.9}, SHOTS, exact=False)


def test_sources_that_emit_one_photon_give_no_more() -> None:
    answer = {"results": {BasicState([1, 1, 0, 0, 0]): 999, BasicState([1, 1, 1, 0, 0]): 1}, "global_perf": 1.0}
    assert counted(CIRCUIT, answer, SHOTS, exact=True).sum() == pytest.approx(0.999)
    with pytest.raises(AnswerError, match="a state of 3 photons, expected 2 to 2"):
        counted(CIRCUIT, answer, SHOTS, exact=True, brightest=1)


# Reading


def text_of(value: Any) -> str:
    return json.dumps(archived(value))


COUNTS = BSCount({BasicState([1, 1, 0, 0, 0]): 600, BasicState([0, 1, 1, 0, 0]): 400})


WHOLE = {"results": COUNTS, "global_perf": 1.0}


@pytest.mark.parametrize("written", [text_of(WHOLE), json.dumps(serialize(WHOLE))])
def test_an_answer_is_read_in_both_forms_that_perceval_writes(written: str) -> None:
    found = read_answer(written)
    assert dict(found["results"]) == dict(COUNTS) and found["global_perf"] == 1.0


def mapping(*path: Any, **arguments: Any) -> dict:
    return {"results": ["touch owned"], "job_context": {"result_mapping": list(path), "mapping_delta_parameters": arguments}}


@pytest.mark.parametrize(
    "answer",
    [
        mapping("os", "system"),
        mapping("subprocess", "getoutput"),
        mapping("builtins", "exec"),
        mapping("perceval.utils", "os.system"),
        mapping("perceval.utils", "__loader__"),
        mapping("perceval.utils.conversion", "np"),
        mapping("perceval", "utils"),
        mapping("perceval.utils"),
        mapping(),
        mapping({"a": 1}, []),
        {"results": ["x"], "job_context": {"result_mapping": "os.system"}},
        {
            "results": ["x"],
            "job_context": {"result_mapping": ["perceval.utils", "probs_to_sample_count"], "mapping_delta_parameters": {"count": 10**12}},
        },
        {"results": ["x"], "job_context": {"result_mapping": ["perceval.utils", "probs_to_sample_count"], "mapping_delta_parameters": [1]}},
    ],
)
def test_nothing_that_an_answer_names_is_called(answer: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in (json.dumps(answer), text_of(answer)):
        with pytest.raises(AnswerError):
            read_answer(text)
    assert not list(tmp_path.iterdir())


def test_samples_are_counted_as_perceval_counts_them() -> None:
    from perceval.utils import BSSamples

    samples = BSSamples([BasicState([1, 1, 0, 0, 0])] * 3 + [BasicState([0, 1, 1, 0, 0])])
    answer = {"results": samples, "job_context": {"result_mapping": ["perceval.utils", "samples_to_sample_count"]}}
    assert dict(converted(answer)["results"]) == {BasicState([1, 1, 0, 0, 0]): 3, BasicState([0, 1, 1, 0, 0]): 1}
    assert converted({"results": COUNTS, "physical_perf": 0.5, "logical_perf": 0.5})["global_perf"] == 0.25


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "an answer of NoneType, expected text"),
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[" * 10**5, "cannot be read"),
        (json.dumps("pcvlar 0 1 0 dict 5 1 2"), "cannot be read"),
        (json.dumps("pcvlar 9 1 0"), "cannot be read"),
        (json.dumps({"results": ":PCVL:BSCount:{|1,1>=x}"}), "cannot be read"),
        (json.dumps({"results": ":PCVL:BSCount:{|1,1>=1"}), "cannot be read"),
        (json.dumps({"results": ":PCVL:Experiment:AAAA"}), "an answer that holds Experiment"),
        (json.dumps({"results": ":PCVL:zip:!!"}), "an answer that holds"),
        ("x" * (LARGEST + 1), "an answer of more than 67,108,864 bytes"),
    ],
)
def test_what_is_no_answer_is_refused_in_our_words(text: Any, said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        read_answer(text)


def packed(size: int) -> str:
    return base64.b64encode(zlib.compress(bytes(size))).decode()


@pytest.mark.parametrize("head", [":PCVL:zip:", "pcvlar:zip:"])
def test_an_answer_that_unpacks_to_too_much_is_refused(head: str) -> None:
    with pytest.raises(AnswerError, match="unpacks to more than"):
        read_answer(json.dumps({"results": head + packed(2 * LARGEST)}))


def test_any_damaged_answer_is_refused_or_counts_what_was_counted() -> None:
    draw = random.Random(3)
    believed = 0
    for text in (text_of(WHOLE), json.dumps(serialize(WHOLE))):
        for _ in range(1000):
            spoilt = list(text)
            for _ in range(draw.choice([1, 1, 2, 5])):
                spoilt[draw.randrange(len(spoilt))] = chr(draw.randrange(32, 127))
            try:
                found = read_answer("".join(spoilt[: draw.choice([len(spoilt), draw.randrange(len(spoilt))])]))
                if found.get("results") is None:
                    continue  # a lost job
                counted(CIRCUIT, found, 1000, exact=True)
            except AnswerError:
                continue
            believed += sum(found["results"].values()) != 1000
    assert believed == 0


def test_an_answer_that_would_speak_to_a_provider_is_refused() -> None:
    handler = archived({"a": RPCHandler("far", "http://127.0.0.1:1", "token")})
    zipped = base64.b64encode(zlib.compress(handler.removeprefix("pcvlar").encode())).decode()
    for content in (
        {"specs": handler},
        {"header": "pcvlar", "archive_version": 0, "roots": [0], "data": [["RemoteComputer", {}]]},
        json.dumps(json.dumps({"results": handler})),
        [{"metadata": f"pcvlar:zip:{zipped}"}],
    ):
        with pytest.raises(AnswerError, match="could speak to a provider"):
            refuse_reaching(content)
    refuse_reaching(Cloud().specs)
    assert set(named({"a": [text_of(COUNTS)]})) == {"BSCount"}


# Over the web


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path / "perceval") as (server, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for config in (RemoteConfig, ScalewayConfig):
            monkeypatch.setattr(config, "_url", server.url)
            monkeypatch.setattr(config, "_token", None)
        yield server


def asked(provider: str, log: Path | None = None, **settings: Any) -> Remote:
    return Remote(connect(f"{provider}:sim:stand-in"), SHOTS, JobLog(log), sleep=lambda seconds: None, **settings)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_over_the_web_is_that_of_the_circuit(provider: str, server: Cloud) -> None:
    assert (asked(provider).ask(CIRCUIT, PHASES) - CIRCUIT(PHASES)).abs().max() < 5 * (0.25 / SHOTS) ** 0.5


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_hostile_provider_runs_nothing_and_is_told(provider: str, server: Cloud, tmp_path: Path) -> None:
    server.spoil = lambda text: json.dumps(mapping("os", "system") | {"results": f"touch {tmp_path / 'owned'}"})
    log = tmp_path / "jobs.jsonl"
    with pytest.raises(AnswerError, match=r"the answer of job job-0 is refused: an answer that asks to call \['os', 'system'\]"):
        asked(provider, log).ask(CIRCUIT, PHASES)
    assert not (tmp_path / "owned").exists() and len(server.jobs) == 1
    server.spoil = lambda text: text
    asked(provider, log).ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 2  # sent anew, since nothing of the first is believed


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_lost_job_is_sent_again_and_told(provider: str, server: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = tmp_path / "jobs.jsonl"
    asked(provider, log).ask(CIRCUIT, PHASES)
    server.lost = {"job-0"}
    asked(provider, log).ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 2 and "job job-0 is lost" in caplog.text and "sent again" in caplog.text
    server.lost = {f"job-{number}" for number in range(9)}
    with pytest.raises(BackendError, match=r"job job-3 is lost .*; 3 attempts were made"):
        asked(provider, log, attempts=3).ask(CIRCUIT, PHASES)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("empty", ["{}", "null", '{"results": null}', ""])
def test_a_result_without_results_is_sent_again(provider: str, empty: str, server: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    if provider == "scaleway" and not empty:
        pytest.skip("its client raises an error of its own")
    texts = [empty]
    server.spoil = lambda text: texts.pop() if texts else text
    asked(provider).ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 2 and "an answer without results" in caplog.text


def test_a_job_that_was_taken_without_an_answer_is_found_and_sent_once(server: Cloud, tmp_path: Path) -> None:
    backend = asked("scaleway", tmp_path / "jobs.jsonl")
    for number in range(4):
        backend.ask(CIRCUIT, PHASES + number)
    server.deaf = 1
    answer = backend.ask(CIRCUIT, PHASES - 1)
    assert len(server.jobs) == 5 and len(set(server.names.values())) == 5
    assert torch.equal(asked("scaleway", tmp_path / "jobs.jsonl").ask(CIRCUIT, PHASES - 1), answer)


def test_where_a_provider_cannot_say_whether_it_has_a_job_none_is_sent_twice_unsaid(
    server: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.deaf, log = 1, tmp_path / "jobs.jsonl"
    with pytest.raises(
        BackendError, match=r"no answer to a job that it may have taken .* Look for 'lightweights [0-9a-f]{32} 1' among its jobs"
    ):
        asked("quandela", log).ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 1
    asked("quandela", log).ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 2 and "was on its way when the last process ended; sent again" in caplog.text


def test_a_process_killed_while_sending_finds_its_job_again(server: Cloud, tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    asked("scaleway", log).ask(CIRCUIT, PHASES)
    log.write_text(log.read_text().splitlines(keepends=True)[0])  # the number was never written down
    asked("scaleway", log).ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_platform_that_takes_long_to_accept_a_job_runs_it_once(provider: str, server: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightweights.photonics import web

    backend = asked(provider)
    backend._layer._rpc_handler.request_timeout = 0.2  # what Perceval's client would wait, 10 s in truth
    server.slow = 1.0
    backend.ask(CIRCUIT, PHASES)
    assert len(server.jobs) == 1 and web.TIMEOUT[1] >= 60


@pytest.mark.parametrize("limits", [["max_mode_count"], {"max_mode_count": "many"}, {"max_photon_count": [6]}])
def test_limits_of_a_platform_that_are_no_numbers_are_told(server: Cloud, limits: Any) -> None:
    server.specs = archived({**dict(server.computer.specs), "constraints": limits})
    with pytest.raises(BackendError, match="which is no number; choose another platform"):
        asked("quandela").check(CIRCUIT)


@pytest.mark.parametrize("told", [None, "", True, {"a": 1}, "x" * 1000])
def test_what_is_no_number_of_a_job_is_never_asked_for(told: Any, server: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = asked("quandela", tmp_path / "jobs.jsonl")
    monkeypatch.setattr(backend._layer, "send", lambda payload: told)
    with pytest.raises(BackendError, match=r"no answer to a job that it may have taken .*is no number of a job"):
        backend.ask(CIRCUIT, PHASES)
    assert JobLog(tmp_path / "jobs.jsonl").find(backend.question(CIRCUIT, PHASES).key) is None


def test_what_a_provider_says_steers_no_terminal_and_fills_no_screen() -> None:
    said = Remote._without_token("\x1b[2J" + "x" * 10**5)
    assert said.isprintable() and len(said) <= MOST_SAID


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_call_of_the_clients_has_a_time_out(provider: str, server: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[Any] = []
    for method in ("get", "post"):
        call = getattr(requests, method)
        monkeypatch.setattr(
            requests, method, lambda url, call=call, **settings: waits.append(settings.get("timeout")) or call(url, **settings)
        )
    backend = asked(provider)
    backend.ask(CIRCUIT, PHASES)
    backend._cancel("job-0")
    backend.close()
    assert len(waits) >= 5 and all(wait == (10, 120) for wait in waits)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_result_larger_than_any_can_be_is_not_read(provider: str, server: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightweights.photonics import web

    monkeypatch.setattr(web, "LARGEST", 2**20)
    backend = asked(provider)
    server.spoil = lambda text: "x" * 2**21
    with pytest.raises(BackendError, match="answers with more than 1,048,576 bytes"):
        backend.ask(CIRCUIT, PHASES)


def test_guarding_twice_changes_nothing() -> None:
    guard()
    guard()
    from perceval.providers.quandela import rpc_handler

    assert isinstance(rpc_handler.requests, Guarded) and rpc_handler.requests.HTTPError is requests.HTTPError


def status(code: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = code
    return requests.HTTPError(f"{code}", response=response)


@pytest.mark.parametrize(
    ("error", "open_question"),
    [
        (requests.exceptions.ReadTimeout("slow"), True),
        (requests.exceptions.ConnectTimeout("far"), False),
        (requests.exceptions.ConnectionError("no route to host"), False),
        (requests.exceptions.ConnectionError("('Connection aborted.', RemoteDisconnected())"), True),
        (ConnectionRefusedError("refused"), False),
        (ConnectionResetError("reset"), True),
        (AssertionError("Missing job_id field"), True),
        (status(504), True),
        (status(503), False),
        (status(429), False),
        (status(401), False),
    ],
)
def test_errors_after_which_a_job_may_be_there_are_told_from_others(error: Exception, open_question: bool) -> None:
    assert unsure(error) is open_question


# The log


def logged(tmp_path: Path) -> tuple[Path, list[tuple[Any, str]]]:
    log, backend = tmp_path / "jobs.jsonl", Remote.__new__(Remote)
    backend._layer, backend._shots, backend._noise = type("Layer", (), {"name": "far"}), SHOTS, None
    questions = [backend.question(CIRCUIT, PHASES + number) for number in range(3)]
    jobs = JobLog(log)
    for number, question in enumerate(questions):
        jobs.sending(question)
        jobs.write(question, f"job-{number}")
    return log, [(question, f"job-{number}") for number, question in enumerate(questions)]


def test_any_damage_to_the_log_of_jobs_gives_the_right_job_or_none(tmp_path: Path) -> None:
    log, known = logged(tmp_path)
    content, draw = log.read_bytes(), random.Random(5)
    for _ in range(500):
        spoilt = bytearray(content)
        for _ in range(draw.choice([1, 2, 9])):
            spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
        log.write_bytes(spoilt[: draw.choice([len(spoilt), draw.randrange(len(spoilt))])])
        jobs = JobLog(log)
        for question, job in known:
            assert jobs.find(question.key) in (job, None)
        jobs.write(known[0][0], "job-9")
        assert JobLog(log).find(known[0][0].key) == "job-9"  # also behind a line that was cut off


@pytest.mark.parametrize(
    "line", [b"\xff\xfe", b"[" * 10**5, b"3", b'"a"', b"null", b"[]", b'{"question": [], "job": "x", "check": "y"}', b"\0" * 99]
)
def test_a_damaged_line_is_left_out_and_told(line: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log, known = logged(tmp_path)
    log.write_bytes(line + b"\n" + log.read_bytes())
    assert [JobLog(log).find(question.key) for question, _ in known] == [job for _, job in known]
    assert "jobs.jsonl, line 1: damaged and left out" in caplog.text


def test_a_log_that_cannot_be_written_says_which_job_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, known = logged(tmp_path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"jobs\.jsonl cannot be written: No space left on device\. Make room .* job job-7 was sent"):
        JobLog(log).write(known[0][0], "job-7")


def test_a_log_that_is_too_large_or_a_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightweights.photonics import jobs

    log, _ = logged(tmp_path)
    monkeypatch.setattr(jobs, "LARGEST_LOG", 10)
    with pytest.raises(BackendError, match=r"jobs\.jsonl: cannot be read"):
        JobLog(log)
