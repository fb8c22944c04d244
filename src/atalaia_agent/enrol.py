from __future__ import annotations

import os
import socket
from pathlib import Path

from atalaia_agent.backoff import Backoff
from atalaia_agent.hub import HubConnection, HubUnreachable
from atalaia_agent.json_text import encode
from atalaia_agent.settings import Settings
from atalaia_agent.voice import Voice
from atalaia_agent.wire import ENROL_PATH

_TRIES = 5


class EnrolError(Exception):
    pass


def enrol(settings: Settings, voice: Voice) -> Settings:
    """Change the one-time token for a key, which is kept in the spool. Raises EnrolError, OSError."""
    hub = HubConnection(settings.hub, "", ca=settings.ca_file)
    request = encode({"token": settings.enrol_token, "name": settings.name, "hostname": socket.gethostname()})
    try:
        answer = _post(hub, request, voice)
    finally:
        hub.close()
    key = answer.get("key")
    if not isinstance(key, str) or not key:
        raise EnrolError("the hub's answer holds no key")
    keep_key(settings.spool / "key", key)
    name = str(answer.get("name") or settings.name)
    voice.say(f"enrolled as {name}; the key is in {settings.spool / 'key'}")
    return settings._replace(key=key, name=name)


def _post(hub: HubConnection, request: bytes, voice: Voice) -> dict[str, object]:
    backoff = Backoff()
    complaint = ""
    for _ in range(_TRIES):
        try:
            answer = hub.post(ENROL_PATH, request, timeout_s=15.0)
        except HubUnreachable as failure:
            complaint = f"the hub can't be reached: {failure}"
        else:
            if answer.status in (200, 201):
                return answer.body
            complaint = f"the hub does not enrol this agent: {answer.complaint}"
            if answer.status < 500 and answer.status != 429:  # noqa: PLR2004
                break
        voice.trouble("enrol", complaint)
        _sleep(backoff.next_s())
    raise EnrolError(complaint)


def _sleep(seconds: float) -> None:
    from threading import Event

    Event().wait(seconds)


def keep_key(path: Path, key: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as out:
        os.fchmod(fd, 0o600)
        out.write(key + "\n")
        out.flush()
        os.fsync(fd)
