"""A snapshot into a git repository that people share: committed and pushed, beside what other machines push."""

import os
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from atalaia.app.snapshots.writing import file_name
from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import scrub

TRIES: Final = 3
_GIT_S: Final = 120
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_FIRST_NAMES: Final = 60
_LONGEST: Final = 400


class NotPublished(AtalaiaError):
    """The snapshot could not be committed, or not be pushed; in the second case the commit stands in the repository."""

    code = "snapshot_not_published"


def publish(text: str, repository: Path, *, host: str, at: datetime) -> Path:
    """Write `sessions/<host>/YYYY-MM-DD_HHMMSS_snapshot.md`, commit it alone, and push; the file's path.

    Where others have pushed meanwhile, theirs are taken in first. What else is changed in the repository is left alone.

    Raises:
        NotPublished: it is no repository, has nowhere to push to, or git refused.
    """
    top = Path(_git(repository, "rev-parse", "--show-toplevel").strip())
    path = _new_file(top / "sessions" / plain(host), at, text)
    name = str(path.relative_to(top))
    _git(top, "add", "--force", "--", name)
    _git(top, *_identity(top, host), "commit", "--quiet", "--message", f"Snapshot of {plain(host)}", "--", name)
    _push(top, *_destination(top), identity=_identity(top, host))
    return path


def plain(host: str) -> str:
    """As a folder may be called."""
    return _NOT_PLAIN.sub("-", host).strip(".-") or "unknown"


def _new_file(folder: Path, at: datetime, text: str) -> Path:
    """Two in one second: the later one takes the next free second."""
    folder.mkdir(parents=True, exist_ok=True)
    for seconds in range(_FIRST_NAMES):
        path = folder / file_name(at + timedelta(seconds=seconds))
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        return path
    raise NotPublished("there are {count} snapshots of this minute already", count=_FIRST_NAMES)


def _destination(top: Path) -> tuple[str, str]:
    """Remote and branch."""
    branch = _git(top, "symbolic-ref", "--quiet", "--short", "HEAD").strip()
    remotes = _git(top, "remote").split()
    configured = _git(top, "config", "--default", "", "--get", f"branch.{branch}.remote").strip()
    remote = configured or ("origin" if "origin" in remotes else next(iter(remotes), ""))
    if not remote:
        raise NotPublished(
            "{repository} has no remote to push to; the snapshot is committed there",
            hint="Add one: git remote add origin ADDRESS.",
            repository=str(top),
        )
    return remote, branch


def _push(top: Path, remote: str, branch: str, *, identity: list[str]) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _git(top, "push", "--quiet", "--set-upstream", remote, f"HEAD:refs/heads/{branch}")
        except NotPublished:
            if attempt == TRIES:
                raise
            # Somebody was quicker, as a rule; where the remote can't be reached this says so.
            _git(top, *identity, "pull", "--quiet", "--rebase", "--autostash", remote, branch)
        else:
            return


def _identity(top: Path, host: str) -> list[str]:
    """A service's account has no name of its own in git."""
    if _git(top, "config", "--default", "", "--get", "user.email").strip():
        return []
    return ["-c", "user.name=Atalaia", "-c", f"user.email=atalaia@{plain(host)}"]


def _git(folder: Path, *arguments: str) -> str:
    """Raises: NotPublished, with git's own last words."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, env=environment, timeout=_GIT_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotPublished("git can't be run: {why}", why=scrub(str(error))) from error
    if done.returncode != 0:
        said = scrub(done.stderr.decode("utf-8", "replace")).splitlines()
        words = [line.strip() for line in said if line.strip() and not line.startswith("hint:")]
        raise NotPublished(
            "git {command}: {why}",
            hint="Try the same by hand in that folder, as the same user.",
            command=next((word for word in arguments if not word.startswith("-") and "=" not in word), ""),
            why=" ".join(words)[:_LONGEST] or str(done.returncode),
        )
    return done.stdout.decode("utf-8", "replace")
