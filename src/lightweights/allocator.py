"""Memory that is freed stays with the process, so that training does not fetch it anew at every step."""

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of the two parameters in glibc's malloc.h."""

NEVER = 2**31 - 1
"""Bytes: the largest value that mallopt takes."""


def keep_memory() -> bool:
    """Tell glibc to serve large blocks from its heap and to give none of it back to the system; whether it listens.

    As it is, glibc maps blocks above a threshold of their own and unmaps them when they are freed: a training step that needs the same
    tensors again faults in thousands of pages. The numbers computed are the same. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return all(mallopt(parameter, NEVER) == 1 for parameter in (MMAP_THRESHOLD, TRIM_THRESHOLD))
