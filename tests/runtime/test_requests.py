"""Requests to the scan: whole or not at all, bounded, harmless when their sender dies."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.requests import (
    PER_SCAN,
    TOGETHER,
    Ask,
    Mailbox,
    MailboxFull,
    Post,
    Role,
    Source,
    make_pipe,
    new_id,
    together,
    unpack,
)
from tests.runtime import stress

ASK = Ask(new_id(), 300, 70_000, 47.5, new_id(), Role.ENGINEER, Source.OPCUA, 12_345.6, 0, 49.9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests"


@pytest.fixture
def mailbox(path: Path) -> Iterator[Mailbox]:
    mailbox = Mailbox(path)
    yield mailbox
    mailbox.close()


@pytest.fixture
def post(path: Path) -> Iterator[Post]:
    post = Post(path)
    yield post
    post.close()


def test_a_request_arrives_as_it_was_put(mailbox: Mailbox, post: Post) -> None:
    post.put(ASK)
    assert list(mailbox.drain()) == [ASK]


def test_an_empty_mailbox_gives_nothing(mailbox: Mailbox) -> None:
    assert list(mailbox.drain()) == []


def test_a_request_put_before_the_scan_has_started_waits_for_it(path: Path, post: Post) -> None:
    post.put(ASK)
    mailbox = Mailbox(path)
    assert list(mailbox.drain()) == [ASK]
    mailbox.close()


def test_the_mailbox_works_on_when_the_last_server_has_gone(path: Path, mailbox: Mailbox) -> None:
    for _ in range(2):
        post = Post(path)
        post.put(ASK)
        post.close()
        assert list(mailbox.drain()) == [ASK]


def test_a_scan_takes_a_bounded_number_in_their_order(mailbox: Mailbox, post: Post) -> None:
    asks = [Ask(number, 1, 0, 1.0) for number in range(PER_SCAN + 20)]
    for ask in asks:
        post.put(ask)
    assert list(mailbox.drain()) == asks[:PER_SCAN]
    assert list(mailbox.drain()) == asks[PER_SCAN:]


def test_a_full_mailbox_refuses_and_holds_up_nobody(mailbox: Mailbox, post: Post) -> None:
    taken = 0
    with contextlib.suppress(MailboxFull):
        while taken < 1_000_000:
            post.put(ASK)
            taken += 1
    assert PER_SCAN < taken < 1_000_000
    received = 0
    while asks := list(mailbox.drain()):
        assert all(ask == ASK for ask in asks)
        received += len(asks)
    assert received == taken


def test_values_that_no_role_and_no_source_has_come_out_as_the_least() -> None:
    record = bytearray(ASK.pack())
    record[10:12] = b"\xff\xff"
    ask = unpack(bytes(record))
    assert (ask.role, ask.source) == (Role.VIEWER, Source.REST)


def test_a_request_without_a_deadline_is_never_too_late() -> None:
    assert unpack(Ask(1, 2, 3, 4.0).pack()).deadline == math.inf


def test_ids_grow_with_time_are_unique_and_fit_into_63_bits() -> None:
    ids = []
    for _ in range(5):
        ids.append(new_id())
        time.sleep(0.002)
    assert ids == sorted(set(ids))
    assert max(ids) < 2**63


def test_making_the_pipe_twice_changes_nothing(path: Path) -> None:
    make_pipe(path)
    make_pipe(path)
    assert path.is_fifo()


def test_servers_killed_while_they_ask_leave_no_half_request(path: Path, mailbox: Mailbox) -> None:
    received = 0
    for _ in range(3):
        server = stress.start("put_requests", path, 60.0)
        found: list[Ask] = []
        deadline = time.monotonic() + 20.0
        while len(found) < 5_000 and time.monotonic() < deadline:
            found += mailbox.drain()
        os.kill(server.pid, signal.SIGKILL)
        server.communicate()
        found += mailbox.drain()
        while asks := list(mailbox.drain()):
            found += asks
        assert all(ask.id == ask.slot == ask.value for ask in found)
        received += len(found)
    assert received >= 15_000


def test_a_group_is_drained_whole_or_not_yet(mailbox: Mailbox, post: Post) -> None:
    alone = [Ask(number, 1, 0, 1.0) for number in range(PER_SCAN - 1)]
    for ask in alone:
        post.put(ask)
    group = together([Ask(PER_SCAN + number, 1, 0, 1.0) for number in range(3)])
    post.put(*group)
    post.put(ASK)
    assert list(mailbox.drain()) == alone
    assert list(mailbox.drain()) == [*group, ASK]


def test_of_the_largest_group_there_is_room_for_all_or_none(mailbox: Mailbox, post: Post) -> None:
    group = together([ASK] * TOGETHER)
    put = 0
    with contextlib.suppress(MailboxFull):
        while True:
            post.put(*group)
            put += 1
    received: list[Ask] = []
    while asks := list(mailbox.drain()):
        received += asks
    assert received == group * put
