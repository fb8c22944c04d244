"""The files of the repository, as git knows them, or by walking where there is no git."""

import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_MADE = {".venv", ".venv-peers", "node_modules", "data", "build", "dist", "vendor", ".git", "__pycache__"}
_TEXT = {
    *(".py", ".pyi", ".md", ".toml", ".txt", ".ini", ".cfg", ".json", ".yaml", ".yml", ".html", ".css", ".js", ".po"),
    *(".sh", ".service", ".conf", ".svg", "", ".importlinter"),
}


@functools.cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return tuple(_walk())
    names = sorted(filter(None, done.stdout.decode().split("\0")))
    return tuple(path for path in (ROOT / name for name in names) if path.is_file())


def _walk() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        is_made = any(part in _MADE or part.endswith("_cache") for part in parts)
        if path.is_file() and not is_made and path.suffix != ".pyc" and ".hypothesis" not in parts:
            yield path


def text_files() -> Iterator[tuple[Path, str]]:
    for path in tracked_files():
        if path.suffix in _TEXT:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8", errors="replace")


def python_files(*folders: str) -> Iterator[tuple[Path, str]]:
    for path, text in text_files():
        if path.suffix == ".py" and (not folders or path.parts[0] in folders):
            yield path, text
