"""What a process has freed goes back to the system, instead of staying with its allocator.

glibc takes what is large from the system directly, and gives it back; but each time that such a
piece is freed, it takes pieces of that size from its heap from then on (`mallopt(3)`,
M_MMAP_THRESHOLD), up to 32 MB. Between them lie small pieces that stay, so that the heap ends ever
higher: an OPC UA server grew by 1 MB for each 10,000 messages, and used no more than before.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
LARGE = 128 * 1024  # bytes: what glibc begins with; set, it stays


def keep_small() -> None:
    """Let the limit of what is large stay where it is; to be called before much is allocated."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_TRIM_THRESHOLD, LARGE)
