"""What can be wrong with samples and with questions about them."""

from atalaia.core.errors import AtalaiaError, BadInput


class BadSeries(BadInput):
    """A name or a label that no series can have."""

    code = "bad_series"


class BadLine(BadInput):
    """A line of text exposition that can't be read."""

    code = "bad_line"


class NothingAccepted(BadInput):
    """Not one line of an import could be taken."""

    code = "nothing_accepted"


class BadChunk(AtalaiaError):
    """Stored samples that can't be decoded: another version wrote them, or they are damaged."""

    code = "bad_chunk"
