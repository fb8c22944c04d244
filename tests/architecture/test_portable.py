"""The repository means the same on every machine: no paths of one machine, no package index written down.

A lock file with the address of one machine's index can't be installed anywhere else.
"""

import json
import re

import pytest

from tests.architecture.tracked import ROOT, text_files

# Written with a class in each, so that this file doesn't find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t]|hom[e]/[a-z]\w+|Use[r]s/[a-z]\w+|op[t]/(?:pypi|wheels))/")
INDEXES = re.compile(
    r"https?://[\w.-]*(?:pyp[i]|np[m]js|registr[y]|artifactor[y]|nexu[s]|mirro[r])[\w.-]*", re.IGNORECASE
)


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [f"{path}: {hit[0]}" for path, text in text_files() for hit in MACHINE_PATHS.finditer(text)]
    assert found == []


def test_no_file_names_a_package_index() -> None:
    found = [f"{path}: {hit[0]}" for path, text in text_files() for hit in INDEXES.finditer(text)]
    assert found == []


@pytest.mark.parametrize("lock", ["constraints.txt", "benchmarks/peers/constraints.txt"])
def test_the_python_lock_is_versions_and_hashes(lock: str) -> None:
    pin = re.compile(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z,0-9-]+\])?==[^\s;]+(?: ; .+)? \\$")
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    strange = [
        line for line in lines if line and not pin.match(line) and not re.match(r"^    --hash=sha256:\w{64}", line)
    ]
    assert strange == []


def test_the_browser_lock_has_no_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)
