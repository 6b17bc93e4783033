"""Real-time measures for the scan process, and an honest word about those that can't be had."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

# An image of a megabyte or more is copied past the caches, which then keep what the blocks work on:
# that spares a scan of 10,000 pumps a fifth of its time. Other C libraries don't heed it.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.x86_non_temporal_threshold=0x100000"}
PRIORITY = 50
SMALL_STACK = 256 * 1024  # bytes: all of it is locked
_MCL_CURRENT, _MCL_FUTURE = 1, 2
_PR_SET_TIMERSLACK = 29
_CAP_IPC_LOCK = 14

_libc = ctypes.CDLL(None, use_errno=True)


def acquire(runaway: float) -> list[str]:
    """Take every measure; what can't be had, in words, none if the guarantee holds.

    `runaway` is the time in s after which the kernel ends a scan that never sleeps, so that a hung
    loop of real-time priority can't take the machine with it.
    """
    # The priority last: a standby that locks its memory (50 ms) must not hold up the leader.
    measures: tuple[Callable[[float], str], ...] = (_lock_memory, _sharpen_timer, _pin, _schedule)
    missing = [word for measure in measures if (word := measure(runaway))]
    _be_outlived()
    return missing


def still_the_collector() -> None:
    """Keep the garbage collector out of the scan: what lives now lives for good."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _be_outlived() -> None:
    """Start a thread that ends after this one when the process does.

    The kernel takes down the memory of a process in the thread that ends last, and 400 MB of locked
    memory take it 20 to 40 ms. At real-time priority that would hold up whoever shares the core:
    the successor of a dead leader, or the leader beside a dead standby. This thread waits for good,
    on the same core and without the priority: it can't end before this one has, and then gives way.
    """
    never = threading.Lock()
    never.acquire()
    before = threading.stack_size(SMALL_STACK)
    try:
        threading.Thread(target=never.acquire, name="last", daemon=True).start()
    finally:
        threading.stack_size(before)


def _schedule(runaway: float) -> str:
    limit = int(runaway * 1e6)
    try:
        resource.setrlimit(resource.RLIMIT_RTTIME, (limit, limit + 1_000_000))
    except (OSError, ValueError) as error:
        return f"no real-time scheduling (RLIMIT_RTTIME can't be set: {error})"
    try:
        # Reset on fork: whatever this process starts must not inherit the priority.
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
    except PermissionError:
        return "no real-time scheduling (CAP_SYS_NICE or RLIMIT_RTPRIO is missing)"
    except OSError as error:
        return f"no real-time scheduling ({error.strerror})"
    return ""


def _lock_memory(_: float) -> str:
    # Locking future memory under a limit would make later allocations fail.
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    if not unlimited and not _may_lock():
        return "memory is not locked (CAP_IPC_LOCK or RLIMIT_MEMLOCK is missing)"
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE):
        return f"memory is not locked ({os.strerror(ctypes.get_errno())})"
    return ""


def _may_lock() -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_IPC_LOCK & 1)
    return False


def _sharpen_timer(_: float) -> str:
    if _libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0):
        return "the timer is coarse"
    return ""


def _pin(_: float) -> str:
    """One core, the last: the first one usually serves the interrupts."""
    cores = os.sched_getaffinity(0)
    if len(cores) > 1:
        try:
            os.sched_setaffinity(0, {max(cores)})
        except OSError as error:
            return f"no core of its own ({error.strerror})"
    return ""
