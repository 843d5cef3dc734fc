"""Which errors of a network pass, and which leave it open whether a request was heard."""

import time
from collections.abc import Callable
from typing import TypeVar

from lightweights.photonics.backends import BackendError, imported

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the second attempt, and at most; each pause is twice the one before."""
ATTEMPTS = 5
"""How often a request, or a job, is tried."""

T = TypeVar("T")


def persistently(request: Callable[[], T], attempts: int = ATTEMPTS, sleep: Callable[[float], None] = time.sleep) -> T:
    """A request's answer; after errors that may pass it is made again, with growing pauses. Raises what the last attempt raised."""
    for attempt in range(1, attempts):
        try:
            return request()
        except Exception as error:
            if not passing(error):
                raise
        sleep(pause_after(attempt))
    return request()


def unsure(error: Exception) -> bool:
    """Whether a request may have been heard although its answer is an error: the connection stood, and then broke or stayed silent."""
    code = status_code(error)
    if code is not None:
        return code in (500, 502, 504)
    if isinstance(error, AssertionError | ValueError | KeyError | TypeError):  # an answer in which the client found no number
        return True
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError | TimeoutError):
        return True
    exceptions = imported("requests", "photonics", "requests").exceptions
    if isinstance(error, exceptions.ConnectTimeout):
        return False
    if isinstance(error, exceptions.ConnectionError):
        return "aborted" in str(error) or "reset" in str(error).lower()
    return isinstance(error, exceptions.Timeout | exceptions.ChunkedEncodingError | exceptions.ContentDecodingError)


def passing(error: Exception) -> bool:
    """Whether trying again may help: no connection, a time-out, a busy or failing server."""
    if isinstance(error, BackendError):
        return False
    code = status_code(error)
    if code is not None:
        return code in (408, 409, 421, 423, 425, 429) or code >= 500
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    requests = imported("requests", "photonics", "requests")
    return isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout)


def status_code(error: Exception) -> int | None:
    """The status with which a web server refused, where one did."""
    code = getattr(getattr(error, "response", None), "status_code", None)
    if code is None:  # Perceval passes some answers on as text
        for word in str(error).replace(",", " ").split():
            if word.isdigit() and len(word) == 3 and word[0] in "45":
                return int(word)
    return code


def pause_after(attempt: int) -> float:
    """Seconds to wait after an attempt, 1 the first."""
    return min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
