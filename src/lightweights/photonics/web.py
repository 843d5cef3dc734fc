"""Requests of Perceval's clients with limits: none waits for ever, takes more memory than an answer may have, or builds what it names.

The clients call the functions of the module requests, some without a time-out, and read whatever comes. :func:`guard` puts one object in
its place in their modules, for this process.
"""

import importlib
import json
import time
from collections.abc import Callable
from typing import Any

from lightweights.photonics.answers import LARGEST, AnswerError, refuse_reaching
from lightweights.photonics.backends import imported

CLIENTS = ("perceval.providers.quandela.rpc_handler", "perceval.providers.scaleway.scaleway_rpc_handler")
TIMEOUT = (10, 120)
"""Seconds to wait for a connection, and for an answer or its next bytes: a platform may take long to accept a job."""
MOST_PAGES = 100
"""Pages of 100 jobs that are looked through for one."""
LONGEST = 600
"""Seconds for a whole answer."""


class Guarded:
    """The module requests, its get, post and delete with limits. Answers that tell of an error raise it, with the first of its words."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        return getattr(self._requests, name)

    def get(self, url: str, **settings: Any) -> Any:
        """As requests.get."""
        return self._whole("get", url, settings)

    def post(self, url: str, **settings: Any) -> Any:
        """As requests.post."""
        return self._whole("post", url, settings)

    def delete(self, url: str, **settings: Any) -> Any:
        """As requests.delete."""
        return self._whole("delete", url, settings)

    def _whole(self, method: str, url: str, settings: dict[str, Any]) -> Any:
        began = time.monotonic()
        response = getattr(self._requests, method)(url, **settings | {"timeout": TIMEOUT, "stream": True})
        if response.raw is not None:
            content = bytearray()
            for chunk in response.iter_content(2**16):
                content += chunk
                if len(content) > LARGEST:
                    response.close()
                    raise AnswerError(f"{url} answers with more than {LARGEST:,} bytes")
                if time.monotonic() - began > LONGEST:
                    response.close()
                    raise self._requests.exceptions.ReadTimeout(f"{url} has not answered whole after {LONGEST} s")
            response._content = bytes(content)
        if not response.ok:
            words = f"{response.status_code} {response.reason} for {url}: {(response.text or '')[:200]}"
            raise self._requests.HTTPError(words, response=response)
        try:
            content_of = json.loads(response.content or b"null")
        except (ValueError, RecursionError):
            return response  # the client says what it makes of that
        try:
            refuse_reaching(content_of)
        except AnswerError:
            raise
        except Exception as error:  # Perceval's readers raise many kinds
            raise AnswerError(f"{url} answers with what cannot be read ({type(error).__name__}: {str(error)[:200]})") from None
        return response


def guard() -> None:
    """Put the limits into Perceval's clients."""
    requests = imported("requests", "photonics", "requests")
    for name in CLIENTS:
        client: Any = importlib.import_module(name)
        if not isinstance(client.requests, Guarded):
            client.requests = Guarded(requests)


def jobs_by_name(layer: Any) -> Callable[[], dict[str, str]] | None:
    """What asks a provider for the numbers of its session's jobs by their names; None where it has no such list. Scaleway has
    (``GET /qaas/v1alpha1/jobs``); Quandela Cloud tells of a job by its number only.
    """
    handler: Any = getattr(layer, "_rpc_handler", None)
    session = getattr(handler, "_session_id", None)
    if session is None:
        return getattr(layer, "jobs_by_name", None)

    def ask() -> dict[str, str]:
        requests: Any = vars(importlib.import_module(type(handler).__module__))["requests"]
        found: dict[str, str] = {}
        page, total = 1, 1
        while len(found) < total and page <= MOST_PAGES:
            asked = {"session_id": session, "page": page, "page_size": 100, "order_by": "created_at_desc"}
            answer = requests.get(
                f"{handler.url}/qaas/v1alpha1/jobs", headers=handler.headers, proxies=handler.proxies, params=asked
            ).json()
            jobs = answer.get("jobs") or []
            found = {str(job["name"]): str(job["id"]) for job in jobs} | found  # the newest of a name stays
            total, page = (int(answer.get("total_count", 0)), page + 1) if jobs else (0, page)
        return found

    return ask
