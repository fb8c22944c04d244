"""What holds others to their promises in seconds must not hold them to what the machine did not do."""

import os
import signal
import subprocess
import sys
import threading

from tests.acceptance.hub import ROOT

SCRIPT = """
import sys
from tests.stopwatch import Stopwatch
watch = Stopwatch()
print("begun", flush=True)
sys.stdin.readline()
print(watch.took_s, watch.late_s, flush=True)
"""
STANDSTILL_S = 1.5


def test_while_the_machine_stands_still_no_promise_is_broken() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        os.kill(process.pid, signal.SIGSTOP)
        threading.Event().wait(STANDSTILL_S)  # the standstill itself
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate("now\n")
    took_s, late_s = map(float, said.split())
    assert took_s >= STANDSTILL_S
    assert late_s > STANDSTILL_S - 0.2
