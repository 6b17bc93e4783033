"""What is large is taken from the system, and goes back to it, however often."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

SCRIPT = """
import ctypes
from runtime import heap

class Use(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
        "uordblks", "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Use
if {kept}:
    heap.keep_small()
before = libc.mallinfo2().hblkhd  # bytes that were taken from the system directly
for _ in range(3):
    piece = bytearray(4 << 20)
    taken = libc.mallinfo2().hblkhd - before
    del piece
print(taken >= 4 << 20)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33 or newer")
@pytest.mark.parametrize("kept", [True, False])
def test_what_was_freed_once_is_taken_from_the_system_again(kept: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(kept=kept)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{kept}\n"
