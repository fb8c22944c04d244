"""Lanes: a type in a queue; what is to be resolved has lanes of its own."""

from typing import NamedTuple

from atalaia.sdk.transaction import Tx


class Lane(NamedTuple):
    id: int
    type: str
    queue: str
    is_resolve: bool


_ALL = "SELECT id, type, queue, is_resolve FROM job_lanes ORDER BY id"
_BY_ID = "SELECT id, type, queue, is_resolve FROM job_lanes WHERE id = ?"
_ADD = "INSERT INTO job_lanes (type, queue, is_resolve) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FIND = "SELECT id, type, queue, is_resolve FROM job_lanes WHERE type = ? AND queue = ? AND is_resolve = ?"


def all_of_them(tx: Tx) -> list[Lane]:
    return [_lane(row) for row in tx.raw(_ALL)]


def by_id(tx: Tx, id: int) -> Lane:
    return _lane(tx.raw(_BY_ID, (id,))[0])


def find(tx: Tx, type: str, queue: str, *, is_resolve: bool) -> Lane | None:
    rows = tx.raw(_FIND, (type, queue, int(is_resolve)))
    return _lane(rows[0]) if rows else None


def ids_of(tx: Tx, type: str, *, is_resolve: bool) -> list[int]:
    sql = "SELECT id FROM job_lanes WHERE type = ? AND is_resolve = ?"
    return [row[0] for row in tx.raw(sql, (type, int(is_resolve)))]


def add(tx: Tx, type: str, queue: str, *, is_resolve: bool) -> Lane:
    tx.raw(_ADD, (type, queue, int(is_resolve)))
    return _lane(tx.raw(_FIND, (type, queue, int(is_resolve)))[0])


def _lane(row: tuple[int, str, str, int]) -> Lane:
    return Lane(row[0], row[1], row[2], bool(row[3]))
