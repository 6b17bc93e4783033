"""Compiles the laws of the blocks to machine code, and keeps it for the next start.

A law is plain Python over columns. It is compiled without leave to reorder or fuse arithmetic, so
compiled and interpreted it gives the same bits; NUMBA_DISABLE_JIT=1 runs it as it stands, for
coverage and debuggers.

What is kept goes by the source of the law's file and of all that it imports of ours: the compiler
itself looks only at the file, not at the functions and constants that it takes from others.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

UNUSED = 86_400.0  # s after which machine code of other sources is no longer of use
_ROOT = Path(__file__).parents[1]
_IMPORT = re.compile(r"^from ((?:blocks|runtime)(?:\.\w+)+) import", re.MULTILINE)
_VERSIONS = (sys.version, numba.__version__, np.__version__)

Law = TypeVar("Law", bound=Callable[..., Any])


def compiled(law: Law) -> Law:
    """`law`, or a function that laws call, as machine code. Its arguments are columns or numbers.

    A division by zero gives infinity or NaN as IEEE 754 has it, never an exception. A law can't
    allocate: it is compiled without the runtime that counts references, which would cost more than
    the law itself. Its columns are the caller's, who keeps them.
    """
    place = _place(law.__module__)
    if place is not None:
        numba.config.CACHE_DIR = str(place)  # type: ignore[attr-defined]
    options: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
    compile_law: Any = numba.njit(cache=place is not None, **options)
    return cast(Law, compile_law(law))


def prepared(law: Callable[..., Any], arguments: tuple[object, ...]) -> Callable[..., Any]:
    """A law compiled for exactly such arguments, which spares it to look at their types each time.

    It takes a second or two, a hundredth of that when the law was compiled before.
    """
    if not isinstance(law, Dispatcher):
        return law
    type_of: Callable[[object], Any] = numba.typeof
    types = tuple(map(type_of, arguments))
    law.compile(types)
    overload: Callable[..., Any] = law.get_overload(types)
    return overload


@cache
def _place(module: str) -> Path | None:
    """A folder of our own for the machine code of a module; None if there can be none."""
    digest = hashlib.sha256(repr(_VERSIONS).encode())
    for source in sorted(sources(module)):
        digest.update(source.read_bytes())
    own = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for home in (_ROOT / "blocks" / "__pycache__" / "laws", Path(own).expanduser() / "calejo"):
        place = home / f"{module}-{digest.hexdigest()[:16]}"
        try:
            if not place.is_dir():
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                _clear(home, module)
            if os.access(place, os.W_OK) and place.stat().st_uid == os.geteuid():
                return place
        except (OSError, RuntimeError):  # no right to write there, or no home at all
            continue
    return None


def sources(module: str, known: frozenset[Path] = frozenset()) -> frozenset[Path]:
    """The file of a module (or package) of ours and of all that it imports of ours."""
    file = _ROOT / f"{module.replace('.', '/')}.py"
    if not file.is_file():
        file = file.with_suffix("") / "__init__.py"
    if file in known or not file.is_file():
        return known
    known |= {file}
    for imported in _IMPORT.findall(file.read_text()):
        known = sources(imported, known)
    return known


def _clear(home: Path, module: str) -> None:
    """Remove what other sources of a module have left, once it is old."""
    for other in home.glob(f"{module}-*"):
        if time.time() - other.stat().st_mtime > UNUSED:
            shutil.rmtree(other, ignore_errors=True)
