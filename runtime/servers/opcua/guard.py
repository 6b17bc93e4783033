"""Who is let in: certificate, trust and accounts of this server, from its state directory."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from runtime.places import Places
from runtime.security.accounts import Accounts
from runtime.security.certificates import OwnCertificate
from runtime.security.trust import Trust
from runtime.servers.opcua.channel import Channels
from runtime.servers.opcua.members import NAMESPACE
from runtime.servers.opcua.sign_in import SignIn
from runtime.servers.refusals import Refusals

NAME = "Calejo Control Adapter"


@dataclass(frozen=True)
class Guard:
    """What decides who is let in."""

    uri: str
    channels: Channels
    sign_in: SignIn
    accounts: Accounts


def guard(places: Places, refusals: Refusals, host: str, anonymous: bool) -> Guard:
    """The guard of a server that listens at `host`; what it needs is made at first start."""
    folder = places.certificates / "opcua"
    machine = socket.gethostname()
    uri = f"urn:{machine}:{NAMESPACE.partition(':')[2]}"
    hosts = dict.fromkeys((machine, "localhost", host))
    own = OwnCertificate(folder / "own.pem", NAME, uri, [*hosts])
    accounts = Accounts(places.accounts)
    accounts.begin(places.token())
    channels = Channels(own, Trust(folder), refusals)
    return Guard(uri, channels, SignIn(accounts, anonymous), accounts)
