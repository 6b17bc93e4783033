"""Compiles the laws of the blocks to machine code, and keeps it for the next start.

A law is plain Python over columns. It is compiled without leave to reorder or fuse arithmetic, so
compiled and interpreted it gives the same bits; NUMBA_DISABLE_JIT=1 runs it as it stands, for
coverage and debuggers.

What is kept goes by the sources of all blocks and the versions of the compiler: the compiler itself
looks only at the file that a law stands in, not at the functions that it calls.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

_BLOCKS = Path(__file__).parents[1] / "blocks"
_PREFIX = "calejo-laws-"
UNUSED = 86_400.0  # s after which machine code of other sources is no longer of use

Law = TypeVar("Law", bound=Callable[..., Any])


def _fingerprint() -> str:
    """Differs whenever anything differs that machine code may come from."""
    digest = hashlib.sha256()
    versions = (sys.version, numba.__version__, np.__version__)
    digest.update(repr(versions).encode())
    for source in sorted(_BLOCKS.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _place() -> Path | None:
    """A folder of our own for machine code; None if there can be none. Clears out old ones."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for home in (_BLOCKS / "__pycache__", Path(cache).expanduser() / "calejo"):
        place = home / f"{_PREFIX}{_fingerprint()}"
        try:
            if not place.is_dir():
                for other in home.glob(f"{_PREFIX}*"):
                    if time.time() - other.stat().st_mtime > UNUSED:
                        shutil.rmtree(other, ignore_errors=True)
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(place, os.W_OK) and place.stat().st_uid == os.geteuid():
                return place
        except (OSError, RuntimeError):  # no right to write there, or no home at all
            continue
    return None


_KEPT = _place()
if _KEPT is not None:
    numba.config.CACHE_DIR = str(_KEPT)  # type: ignore[attr-defined]


def compiled(law: Law) -> Law:
    """`law`, or a function that laws call, as machine code. Its arguments are columns or numbers.

    A division by zero gives infinity or NaN as IEEE 754 has it, never an exception.
    """
    compile_law: Any = numba.njit(error_model="numpy", cache=_KEPT is not None)
    return cast(Law, compile_law(law))
