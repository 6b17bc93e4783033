"""What one client, and all of them together, may ask for.

Each limit is enforced where the service is, and told to clients as Part 5 (6.3.2, 6.3.11) has it:
`capabilities` writes them into ServerCapabilities.
"""

from __future__ import annotations

from collections.abc import Sized

from asyncua.common.utils import ServiceError
from asyncua.ua.status_codes import StatusCodes

TICK = 0.1  # s: values are looked at for changes at most this often

# Of one call.
MOST_READ = 2_000  # nodes of one Read, Write or TranslateBrowsePathsToNodeIds
MOST_BROWSED = 50  # nodes of one Browse or BrowseNext, each with about a hundred references
MOST_REGISTERED = 2_000  # nodes of one RegisterNodes or UnregisterNodes
MOST_ITEMS_AT_ONCE = 1_000  # monitored items of one call
MOST_CALLED = 100  # methods of one Call
MOST_REFERENCES = 500  # of one node in one answer; BrowseNext gives the others
MOST_ELEMENTS = 50_000  # of all arrays: 1,000 monitored items with 16 fields of events, and a third
MOST_ELEMENTS_UNKNOWN = 1_000  # … from a client that hasn't signed in
LARGEST_MESSAGE = 4 * 1024 * 1024  # bytes; asyncua's client expects no larger answers either

# Of one session.
MOST_SUBSCRIPTIONS = 20
MOST_BROWSES = 10  # that wait to be continued
SLOWEST = 60_000.0  # ms of publishing interval
LONGEST_UNSERVED = 600_000.0  # ms that a subscription waits for its client

# Of one subscription or monitored item.
MOST_QUEUED = 10  # values of one monitored item that wait to be published
MOST_UNACKNOWLEDGED = 20  # messages of one subscription

# Of all clients together.
MOST_ITEMS = 100_000  # monitored items
MOST_SUBSCRIPTIONS_OF_ALL = 1_000

# Of time.
SIGN_IN = 10.0  # s from a connection to its session
SHORTEST_SESSION = 5_000.0  # ms without a message


def bounded(items: Sized | None, most: int) -> None:
    """Refuse a service that is asked for nothing, or for more than it does at once."""
    if not items:
        raise ServiceError(StatusCodes.BadNothingToDo)
    if len(items) > most:
        raise ServiceError(StatusCodes.BadTooManyOperations)
