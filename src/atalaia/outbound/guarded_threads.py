"""The guard for libraries that bring their own HTTP client (requests, over urllib3) and block a thread.

Inside `guarded_thread` every connection that the thread opens through urllib3 is judged on its resolved address.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.util import connection

from atalaia.core.errors import TargetRefused
from atalaia.outbound.guard import Guard, Trust, refusal
from atalaia.outbound.sockets import AddressRefused


class _Current(threading.local):
    guard: Guard | None = None
    trust: Trust = Trust.TYPED
    refused: TargetRefused | None = None


_current = _Current()
_plain_create_connection = connection.create_connection


def _create_connection(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
    guard = _current.guard
    if guard is None:
        return _plain_create_connection(address, *args, **kwargs)
    host, port = address
    failure: OSError = OSError("the name has no address")
    for info in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM):
        resolved = str(info[4][0])
        if not guard.allows(resolved, trust=_current.trust):
            _current.refused = refusal(resolved)
            failure = AddressRefused(resolved)
            continue
        try:
            return _plain_create_connection((resolved, port), *args, **kwargs)
        except OSError as error:
            failure = error
    raise failure


# urllib3 has no hook for a connection; it looks the function up in its module at each call, and threads that are not
# guarded pass through unchanged.
connection.create_connection = _create_connection


@contextmanager
def guarded_thread(guard: Guard, *, trust: Trust) -> Iterator[None]:
    """Raises: TargetRefused: at the end, when an address was refused, whatever the library made of it."""
    _current.guard, _current.trust, _current.refused = guard, trust, None
    try:
        yield
    finally:
        refused, _current.guard, _current.refused = _current.refused, None, None
        if refused is not None:
            raise refused
