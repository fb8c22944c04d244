"""News that travels upward: a slice tells, the composition root wires who hears."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened, told inside the transaction that made it so.

    A handler runs in that same transaction: what it writes is kept or lost together with the cause.
    """
