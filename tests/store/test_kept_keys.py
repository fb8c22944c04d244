"""A key that the environment brings works, is replaced by another value, and goes with the variable."""

from collections.abc import Callable

from atalaia.access.service.keys import create_key, list_keys
from atalaia.app.kept_keys import KEPT, keep_key
from atalaia.core.permissions import SYSTEM, is_scope
from atalaia.core.redaction import Secret
from atalaia.store.store import Store
from tests.fakes import FakeClock

FIRST, SECOND = "first-value-" + "x" * 24, "second-value-" + "y" * 24


def test_it_is_made_once_replaced_and_ended(make_store: Callable[..., Store], clock: FakeClock) -> None:
    store = make_store("access")

    def bring(value: str | None) -> list[str]:
        secret = Secret(value) if value else None
        store.write_now(lambda tx: keep_key(tx, "ADMIN_KEY", scope="admin", value=secret, now=clock.now()))
        keys = store.read_now(lambda tx: list_keys(tx, limit=50))
        return sorted(key.prefix[:4] for key in keys if key.revoked_at is None)

    store.write_now(
        lambda tx: create_key(tx, SYSTEM, name="ADMIN_KEY", scopes=["admin"], value="third" * 8, now=clock.now())
    )
    assert bring(FIRST) == ["firs", "thir"]
    assert bring(FIRST) == ["firs", "thir"]
    assert bring(SECOND) == ["seco", "thir"]
    assert bring(None) == ["thir"]


def test_each_name_that_is_kept_has_one_scope(make_store: Callable[..., Store], clock: FakeClock) -> None:
    store = make_store("access")
    for name, scope in KEPT.values():
        value = Secret(f"{name}-{'z' * 24}")
        store.write_now(lambda tx, n=name, s=scope, v=value: keep_key(tx, n, scope=s, value=v, now=clock.now()))  # type: ignore[misc]
        assert is_scope(scope)
    keys = {key.name: key.scopes for key in store.read_now(lambda tx: list_keys(tx, limit=50))}
    assert {name: list(scopes) for name, scopes in keys.items()} == {
        "ADMIN_KEY": ["admin"],
        "MONITOR_API_KEY": ["signal:monitor-execution"],
        "COLLECTOR_API_KEY": ["ingest"],
    }
