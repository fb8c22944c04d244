"""Backups: one file, made while the hub runs, that says by itself whether it is whole."""

from atalaia.store.backup.archive import Manifest, check_archive, read_manifest
from atalaia.store.backup.making import make_backup
from atalaia.store.backup.restoring import restore_backup

__all__ = ["Manifest", "check_archive", "make_backup", "read_manifest", "restore_backup"]
