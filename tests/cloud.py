"""A provider on this machine: the web interfaces of Quandela Cloud and of Scaleway over Perceval's own simulator, for its own clients."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from perceval.runtime import PayloadGenerator, SimulatedComputer
from perceval.serialization import OutputArchive, Serialization, deserialize
from perceval.utils import PersistentData

TOKEN = "a-token-that-nobody-may-see"


def archived(value: Any) -> str:
    """A value as Perceval sends it."""
    archive = OutputArchive()
    Serialization.serialize(value, archive)
    return archive.to_text()


class Cloud(ThreadingHTTPServer):
    """Jobs are run when they come in. ``held``: while set, jobs stay in the queue. ``moods``: status codes of the next answers. ``lost``:
    jobs that are not known any more. ``spoil``: what becomes of the text of results. ``deaf``: so many jobs are taken without an answer,
    the connection cut; ``slow``: seconds until an answer to a job that is sent.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.computer, self.lock = SimulatedComputer("SLOS"), threading.Lock()
        self.held, self.moods = threading.Event(), []
        self.jobs: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.lost: set[str] = set()
        self.spoil: Callable[[str], Any] = lambda text: text
        self.deaf, self.slow = 0, 0.0
        self.sessions: dict[str, bool] = {}
        self.specs = archived({**dict(self.computer.specs), "constraints": {"max_mode_count": 12, "max_photon_count": 6}})

    def run(self, payload: dict[str, Any]) -> str:
        """Run a job's payload; its number."""
        with self.lock:
            computation = PayloadGenerator.get_computation(payload)
            with PayloadGenerator.payload_applier(self.computer, payload):
                found = self.computer.sample_count(computation.experiment, **computation.parameters)
            number = f"job-{len(self.jobs)}"
            self.jobs[number] = json.dumps(archived(found))
            self.names[number] = computation.job_name
            return number


class Answers(BaseHTTPRequestHandler):
    server: Cloud

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.answer(json.loads(self.rfile.read(length) or "null"))

    def answer(self, body: Any) -> None:
        told = {"Authorization": f"Bearer {TOKEN}", "X-Auth-Token": TOKEN}
        if not any(self.headers.get(name) == value for name, value in told.items()):
            return self.say(401, {"error": "no such token"})
        if self.server.moods:
            return self.say(self.server.moods.pop(0), {"error": "try again"})
        name = "quandela" if self.path.startswith("/api") else "scaleway"
        self.say(*getattr(self, name)(self.path, body))

    def quandela(self, path: str, body: Any) -> tuple[int, Any]:
        if "/platform" in path:
            known = "stand-in" in path
            return (200, {"status": "available", "type": "simulator", "specs": self.server.specs}) if known else (404, {"error": "unknown"})
        if path == "/api/job":
            return self.sent("job_id", self.server.run(deserialize(body)["payload"]))
        job = path.rsplit("/", 1)[1]
        if job in self.server.lost:
            return 404, {"error": "no such job"}
        if "/status/" in path:
            status = "queued" if self.server.held.is_set() else "completed"
            times = {"creation_datetime": time.time(), "start_time": time.time(), "duration": 0}
            return 200, {"status": status, "progress": 1, "progress_message": "", "status_message": ""} | times
        return 200, {"results": self.server.spoil(self.server.jobs[job])} if "/result/" in path else {}

    def sent(self, key: str, number: str) -> tuple[int, Any]:
        """The answer to a job that was sent."""
        if self.server.deaf:
            self.server.deaf -= 1
            self.connection.shutdown(2)
        time.sleep(self.server.slow)
        return 200, {key: number}

    def scaleway(self, path: str, body: Any) -> tuple[int, Any]:
        path = path.removeprefix("/qaas/v1alpha1")
        if path.startswith("/platforms"):
            return 200, {"platforms": [{"id": "platform", "metadata": json.dumps(self.server.specs)}] if "stand-in" in path else []}
        if path == "/sessions":
            self.server.sessions[body["deduplication_id"]] = True
            return 200, {"id": body["deduplication_id"]}
        if end := re.fullmatch(r"/sessions/(.*)/terminate", path):
            self.server.sessions[end[1]] = False
            return 200, {}
        if path == "/jobs":
            if not self.server.sessions.get(body["session_id"]):
                return 400, {"message": "no such session"}
            return self.sent("id", self.server.run(deserialize(json.loads(body["circuit"]["percevalCircuit"]))))
        if path.startswith("/jobs?"):
            page = int(re.search(r"page=(\d+)", path)[1])
            jobs = [{"id": number, "name": name} for number, name in self.server.names.items()][::-1]
            return 200, {"jobs": jobs[2 * page - 2 : 2 * page], "total_count": len(jobs)}  # two a page, whatever is asked for
        job = path.split("/")[2]
        if job in self.server.lost:
            return 404, {"message": "no such job"}
        if path.endswith("/results"):
            return 200, {"job_id": job, "job_results": [{"created_at": None, "result": self.server.spoil(self.server.jobs[job])}]}
        return 200, {"status": "waiting" if self.server.held.is_set() else "completed", "created_at": None, "started_at": None}

    def say(self, code: int, what: Any) -> None:
        text = json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with suppress(OSError):  # a deaf one's connection is cut
            self.wfile.write(text)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@contextmanager
def cloud(folder: Path) -> Iterator[tuple[Cloud, dict[str, str]]]:
    """A provider, and the environment in which Perceval's clients find it. ``folder`` holds Perceval's configuration."""
    server = Cloud()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    folder.mkdir(parents=True, exist_ok=True)
    PersistentData(str(folder)).save_config({"remote": {"url": server.url}, "scaleway": {"url": server.url}})
    environment = {"PCVL_PERSISTENT_PATH": str(folder), "PCVL_CLOUD_TOKEN": TOKEN}
    try:
        yield server, environment | {"SCALEWAY_CLOUD_TOKEN": TOKEN, "SCALEWAY_PROJECT_ID": "project", "NO_PROXY": "127.0.0.1"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
