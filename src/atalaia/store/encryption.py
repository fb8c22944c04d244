"""Secrets at rest: AES-256-GCM with a key from the environment or from `secret.key` in the data directory.

The key is never in a backup. A sealed value names its key (4 bytes), so that keys can be rotated: new values are sealed
with the first key, old ones are opened with whichever fits.
"""

import base64
import binascii
import contextlib
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from atalaia.core.errors import ConfigError

KEY_BYTES = 32
NONCE_BYTES = 12  # as GCM wants it: NIST SP 800-38D, 5.2.1.1
ID_BYTES = 4
VARIABLE = "ATALAIA_SECRET_KEY"
FILE_NAME = "secret.key"


class Sealer:
    """Seals and opens small secrets; `purpose` is bound in: a value made for one place can't be used in another."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = {_id_of(key): AESGCM(key) for key in keys}
        self._first = next(iter(self._keys))

    def seal(self, secret: str, *, purpose: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return self._first + nonce + self._keys[self._first].encrypt(nonce, secret.encode(), purpose.encode())

    def open(self, sealed: bytes, *, purpose: str) -> str:
        """The secret.

        Raises:
            ConfigError: it was sealed with a key that this hub doesn't have, or for another purpose.
        """
        key = self._keys.get(sealed[:ID_BYTES])
        nonce, body = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES], sealed[ID_BYTES + NONCE_BYTES :]
        try:
            if key is not None:
                return key.decrypt(nonce, body, purpose.encode()).decode()
        except InvalidTag:
            pass
        raise ConfigError(
            "a stored secret can't be opened with the key of this hub",
            code="wrong_secret_key",
            hint=f"Put the key it was made with into {FILE_NAME} of the data directory, or into {VARIABLE}.",
        )


def load_sealer(data_dir: Path) -> Sealer:
    """Read the key, or make one on first start (mode 0600). Several keys may stand one a line, the newest first."""
    given = os.environ.get(VARIABLE)
    path = data_dir / FILE_NAME
    if given and given.strip():
        return Sealer([_decode(line, VARIABLE) for line in given.split()])
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another was quicker
            write_key_file(data_dir, base64.b64encode(os.urandom(KEY_BYTES)).decode())
    keys = [_decode(line, str(path)) for line in path.read_text(encoding="ascii").split()]
    if not keys:
        raise ConfigError(
            f"{path} holds no key",
            code="bad_secret_key",
            hint="Put the hub's own key back. A hub that never started may remove the file: another is made.",
        )
    return Sealer(keys)


def key_ids(text: str, *, origin: str) -> list[bytes]:
    """The ids of the keys in a key file's text, the first of them in use; raises ConfigError as `load_sealer`."""
    return [_id_of(_decode(line, origin)) for line in text.split()]


def read_key_ids(data_dir: Path) -> list[bytes]:
    """The ids of the keys that are there; none is made."""
    given = os.environ.get(VARIABLE)
    path = data_dir / FILE_NAME
    if given:
        return key_ids(given, origin=VARIABLE)
    return key_ids(path.read_text(encoding="ascii"), origin=str(path)) if path.exists() else []


def write_key_file(data_dir: Path, text: str) -> None:
    """Put keys where a hub finds them; never over others (FileExistsError), and whole or not at all."""
    part = data_dir / f"{FILE_NAME}.{os.urandom(4).hex()}.part"
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("\n".join(text.split()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        _place(part, data_dir / FILE_NAME)
    finally:
        part.unlink(missing_ok=True)


def _place(part: Path, target: Path) -> None:
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(target) from None
        part.replace(target)


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"atalaia-key-id" + key).digest()[:ID_BYTES]


def _decode(text: str, origin: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{origin}: a key is {KEY_BYTES} bytes in base64", code="bad_secret_key")
    return key
