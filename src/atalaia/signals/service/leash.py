"""Runs a command, and ends it with all its children when whoever asked for it is gone; a program of its own, on the standard library alone.

A hub that is killed can end nothing any more, and the next one gives the signal to another run as soon as the lock has lapsed: two would
work at once. So the hub holds the other end of this one's input, which the system closes with it. What happens to the command happens to
this process: same status, same signal. Words on standard error say that it could not be started; the command's own go to standard output.
"""

import os
import signal
import sys
import threading
import time

GRACE_S = 3.0
NOT_STARTED = 127


def main() -> None:
    # Asked to end, it waits for the command to.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        command = _start(sys.argv[1:])
    except OSError as error:
        sys.stderr.write(error.strerror or str(error))
        sys.exit(NOT_STARTED)
    threading.Thread(target=_await_abandonment, daemon=True).start()
    _leave(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]))


def _start(words: list[str]) -> int:
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    both = (os.POSIX_SPAWN_DUP2, 1, 2)
    # What Python ignores, and what we do, the command must not inherit.
    plain = [signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ]
    return os.posix_spawnp(words[0], words, os.environ, file_actions=[nothing, both], setsigdef=plain)


def _await_abandonment() -> None:
    while os.read(0, 1):
        pass
    # Its own group, that it leads; a shell's group, where somebody tries it by hand, has another number.
    os.killpg(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(os.getpid(), signal.SIGKILL)


def _leave(status: int) -> None:
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    # The thread that waits on the input must not hold it up.
    os._exit(status)


if __name__ == "__main__":
    main()
