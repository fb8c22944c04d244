"""Memory given back: what a burst of work took should not count for ever.

glibc makes an arena for each thread and keeps what is freed in it; with a dozen threads that is tens of megabytes. On
other C libraries nothing of this is there, and nothing is done.
"""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h
ARENAS: Final = 2
PERIOD_S: Final = 60.0
YOUNG: Final = 10_000  # objects; of 700 most are still in use when the collector looks at them, for nothing


def limit_arenas() -> None:
    """Called once, before threads are started."""
    mallopt = _libc_function("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


@contextmanager
def building() -> Iterator[None]:
    """While a hub is put together nothing of it is garbage: looking for some takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def settle() -> None:
    """What was made at the start lives as long as the process: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


async def give_back() -> None:
    """Hand free memory to the system; a millisecond."""
    trim = _libc_function("malloc_trim")
    if trim is not None:
        trim(0)


def _libc_function(name: str) -> Callable[..., int] | None:
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return function
