"""The agent runs wherever there is Python: it imports the standard library alone.

The two database drivers are the exception, loaded inside the probe that is set, never at the top of a module.
"""

import ast
import sys
from collections.abc import Iterator

from tests.architecture.tracked import python_files

DRIVERS = {"psycopg", "pymysql"}


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, (node.module or "").partition(".")[0] if node.level == 0 else "atalaia_agent"


def test_the_agent_imports_only_the_standard_library() -> None:
    allowed = {*sys.stdlib_module_names, "atalaia_agent"}
    foreign = []
    for path, text in python_files("src"):
        if "atalaia_agent" not in path.parts:
            continue
        tree = ast.parse(text)
        for node, name in imports(tree):
            is_driver = name in DRIVERS and "probes" in path.parts and node not in tree.body
            if name not in allowed and not is_driver:
                foreign.append(f"{path}:{node.lineno} {name}")
    assert foreign == []
