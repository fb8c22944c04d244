"""The file of a backup: a tar in zstd. Its first member is the manifest, which has the checksum of each other one.

    manifest.json               this module's Manifest
    atalaia.db                  SQLite: the database as it stood at one moment
    tables/<name>.copy          PostgreSQL: COPY's text form, all tables of one snapshot
    atalaia.toml                the settings file without its secrets

`secret.key` is never in it.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
import zstandard

from atalaia.core.errors import BadInput

FORMAT = 1
MANIFEST = "manifest.json"
SUFFIX = ".tar.zst"
ZSTD_LEVEL = 6
_BLOCK_BYTES = 1 << 20
_MAX_MANIFEST_BYTES = 16 << 20


class Member(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    sha256: str


class TableRows(msgspec.Struct, frozen=True):
    rows: int
    columns: list[str]


class Manifest(msgspec.Struct, frozen=True):
    format: int
    product: str
    version: str
    made_at: datetime
    engine: str  # "sqlite" | "postgresql"
    revisions: list[str]
    tables: dict[str, TableRows]
    sealed_with: list[str]  # ids (hex) of the keys that some stored secret needs
    members: list[Member]


def describe(folder: Path) -> list[Member]:
    """Every file below a folder, with its size and checksum."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Member(path.relative_to(folder).as_posix(), path.stat().st_size, _sha256(path)) for path in files]


def write_archive(target: Path, *, folder: Path, manifest: Manifest) -> None:
    """Pack a folder. The file appears under its name only when it is whole and on the disk; mode 0600."""
    part = target.with_name(target.name + ".part")
    handle = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with (
                zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).stream_writer(
                    file, closefd=False
                ) as packed,
                tarfile.open(fileobj=packed, mode="w|") as tar,
            ):
                _add_bytes(tar, MANIFEST, msgspec.json.encode(manifest))
                for member in manifest.members:
                    tar.add(folder / member.name, arcname=member.name, recursive=False, filter=_anonymous)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        _sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def read_manifest(archive: Path) -> Manifest:
    """What a backup says of itself.

    Raises:
        BadInput: it is no backup of Atalaia, or of a later format.
    """
    with _opened(archive) as tar:
        return _manifest(tar, archive)


def check_archive(archive: Path) -> Manifest:
    """Read the whole archive and compare every checksum.

    Raises:
        BadInput: something is missing, cut off or changed.
    """
    return _walk(archive, None)


def unpack(archive: Path, folder: Path) -> Manifest:
    """Write the members below `folder` while comparing their checksums; raises as `check_archive`."""
    return _walk(archive, folder)


def _walk(archive: Path, folder: Path | None) -> Manifest:
    with _opened(archive) as tar:
        manifest = _manifest(tar, archive)
        wanted = {member.name: member for member in manifest.members}
        for entry in tar:
            if entry.name == MANIFEST:
                continue
            member = wanted.pop(entry.name, None)
            source = tar.extractfile(entry) if entry.isfile() else None
            if member is None or source is None:
                raise _damaged(archive, f"{entry.name} does not belong into it")
            _take(source, member, folder=folder, archive=archive)
        if wanted:
            raise _damaged(archive, f"{next(iter(wanted))} is missing")
    return manifest


def _take(source: IO[bytes], member: Member, *, folder: Path | None, archive: Path) -> None:
    target = Path(os.devnull) if folder is None else _inside(folder, member.name, archive=archive)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        for block in _blocks(source):
            digest.update(block)
            size += len(block)
            file.write(block)
        if folder is not None:
            file.flush()
            os.fsync(file.fileno())
    if size != member.size_bytes or digest.hexdigest() != member.sha256:
        raise _damaged(archive, f"{member.name} is not what was written")


def _inside(folder: Path, name: str, *, archive: Path) -> Path:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise _damaged(archive, f"{name} points outside")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    entry = tar.next()
    source = tar.extractfile(entry) if entry is not None and entry.name == MANIFEST else None
    if source is None:
        raise BadInput(f"{archive} is not a backup of Atalaia", code="not_a_backup")
    try:
        manifest = msgspec.json.decode(source.read(_MAX_MANIFEST_BYTES), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(archive, "its manifest can't be read") from error
    if manifest.format > FORMAT:
        raise BadInput(
            f"{archive} was made by a later version ({manifest.version})",
            code="backup_newer",
            hint="Install that version, or a later one, and restore with it.",
        )
    return manifest


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with archive.open("rb") as file:
            unpacked = zstandard.ZstdDecompressor().stream_reader(file)
            with tarfile.open(fileobj=unpacked, mode="r|") as tar:
                yield tar
                # What is behind the last member holds zstd's own checksum: read on to have it compared.
                for _ in _blocks(unpacked):
                    pass
    except OSError as error:
        raise BadInput(f"can't read {archive}: {error.strerror or error}", code="backup_unreadable") from error
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise _damaged(archive, "it is cut off or no backup at all") from error


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(_BLOCK_BYTES):
        yield block


def _damaged(archive: Path, why: str) -> BadInput:
    return BadInput(
        f"the backup {archive} is damaged: {why}",
        code="backup_damaged",
        hint="Nothing was changed. Take another backup.",
    )


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose files they were is of no use elsewhere."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
