"""Rooms stay small: files, and functions in them.

EXCEPTIONS is a ratchet: it may only shrink, and a file that is in it for nothing fails too.
"""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tracked import ROOT, python_files, text_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MOST_FUNCTION_LINES = 30
MEDIAN_FUNCTION_LINES = 10
SIZED = {".py", ".js", ".css", ".html", ".sh"}
EXCEPTIONS: dict[str, int] = {}


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return (node.end_lineno or body[-1].lineno) - body[0].lineno + 1


def functions(*folders: str) -> Iterator[tuple[str, int]]:
    for path, text in python_files(*folders):
        if "migrations" in path.parts:  # a table's definition is one statement, however many columns it has
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path}:{node.lineno} {node.name}", body_lines(node)


def test_no_file_is_too_long() -> None:
    long = {}
    for path, text in text_files():
        lines = text.count("\n")
        if path.suffix in SIZED and lines > EXCEPTIONS.get(str(path), MAX_FILE_LINES):
            long[str(path)] = lines
    assert not long


def test_no_exception_is_there_for_nothing() -> None:
    assert [name for name in EXCEPTIONS if not (ROOT / name).is_file()] == []
    lines = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in EXCEPTIONS}
    assert {name: allowed for name, allowed in EXCEPTIONS.items() if lines[name] < allowed} == {}


def test_no_function_is_too_long() -> None:
    assert [(name, lines) for name, lines in functions() if lines > MAX_FUNCTION_LINES] == []


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_most_functions_are_short(folder: str) -> None:
    sizes = [lines for _, lines in functions(folder)]
    assert statistics.median(sizes) <= MEDIAN_FUNCTION_LINES
    short = sum(lines < MOST_FUNCTION_LINES for lines in sizes)
    assert short / len(sizes) >= 0.9, f"{short} of {len(sizes)} functions are short"


def test_no_room_is_named_for_everything() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
    assert [str(path) for path, _ in python_files() if vague & {*Path(path).with_suffix("").parts}] == []
