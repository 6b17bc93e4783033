"""The file of the outbox: a spool file (`runtime.spoolfile`) with tables of alarms and messages.

What is to be delivered and the record of it for PostgreSQL are in one file, so that one transaction
writes both: no crash comes between. PostgreSQL itself may be what an alarm is about.

| state of a message | meaning                              | followed by                          |
|--------------------|--------------------------------------|--------------------------------------|
| gathered           | waits for the digest of a flood      | digested                             |
| digested           | a digest tells it                    | –                                    |
| pending            | to be delivered when it is due       | delivered, expired, withdrawn        |
| delivered          | the receiver took it                 | –                                    |
| expired            | nobody took it for EXPIRY            | –                                    |
| withdrawn          | an escalation that came to be needless | –                                  |

While a message is pending, who attempts it holds a lease until `lease`. An attempt is known by its
number: who comes back after the lease has run out, and finds another number, changes nothing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from runtime import spoolfile

_SCHEMA = """
create table if not exists alarm (
    key text primary key,
    told text not null,             -- the account of it, as JSON
    priority integer not null,
    raised real not null,           -- when it was first seen here
    cleared real,
    acknowledged real
);
create index if not exists alarm_by_time on alarm (raised);
create table if not exists chain (  -- a rule that brings an alarm to people, step by step
    alarm text not null references alarm,
    rule text not null,
    began real not null,
    step integer not null default 0,
    primary key (alarm, rule)
);
create table if not exists message (
    number integer primary key autoincrement,
    key text not null unique,
    channel text not null,
    kind text not null,             -- raised, cleared, digest, test
    alarm text,
    escalation integer not null default 0,
    priority integer not null,
    title text not null,
    text text not null,
    short text not null,
    fields text not null,           -- for machines, as JSON
    state text not null,
    created real not null,
    expires real not null,
    due real not null,
    lease real not null default 0,
    attempts integer not null default 0,
    error text,
    ended real,
    digest text                     -- the key of the digest that tells it
);
create index if not exists message_open on message (channel, state) where ended is null;
create index if not exists message_by_alarm on message (alarm);
create table if not exists attempt (
    message text not null,
    number integer not null,
    at real not null,
    took real not null,
    outcome text not null,          -- delivered, failed
    error text,
    primary key (message, number)
);
create table if not exists flood (since real);
create table if not exists renewed ( -- an alarm that outlived a cold start
    alarm text primary key references alarm,
    since real not null             -- since when the image says that it is active
);
create table if not exists followed (ring integer not null, position integer not null);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, which is made unless it is there. Rows go by the names of their columns."""
    connection = spoolfile.make(path)
    try:
        with spoolfile.transaction(connection):
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection
