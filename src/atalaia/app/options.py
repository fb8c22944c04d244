"""What a hub is started with, and the settings that are the hub's own."""

from dataclasses import dataclass
from pathlib import Path

from atalaia.core.settings import Setting
from atalaia.core.translations import N_


@dataclass(frozen=True, slots=True)
class HubOptions:
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8400
    database_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def listen_url(self) -> str:
        scheme = "https" if self.tls_cert else "http"
        host = "127.0.0.1" if self.host == "0.0.0.0" else "[::1]" if self.host == "::" else self.host  # noqa: S104 - compared, not bound
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"{scheme}://{shown}:{self.port}"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "hub.public_url",
        "str",
        "",
        N_("The address under which people and agents reach the hub; all links use it. Empty: the listen address."),
        title=N_("Public address"),
        alias="BASE_URL",
    ),
    Setting(
        "hub.trusted_proxies",
        "list",
        (),
        N_("Networks whose X-Forwarded-For is believed, separated by commas."),
        title=N_("Trusted proxies"),
        on_page=False,
    ),
    Setting(
        "hub.timezone",
        "str",
        "America/Sao_Paulo",
        N_("The time zone of pages for readers who have not chosen one."),
        title=N_("Time zone"),
    ),
    Setting(
        "hub.allow_private_targets",
        "bool",
        False,
        N_("Whether messages may be sent to private and loopback addresses. Metadata addresses are always refused."),
        title=N_("Messages to private addresses"),
        on_page=False,
    ),
    Setting(
        "hub.admin_key",
        "secret",
        None,
        N_(
            "An API key with the scope admin that clients of a former system already use; another value revokes the former one."
        ),
        title=N_("Admin key of a former system"),
        on_page=False,
        alias="ADMIN_KEY",
    ),
    Setting(
        "hub.monitor_key",
        "secret",
        None,
        N_("A key that a signaller already uses: it may send the signal monitor-execution, and nothing else."),
        title=N_("Key of the former signaller"),
        on_page=False,
        alias="MONITOR_API_KEY",
    ),
    Setting(
        "hub.collector_key",
        "secret",
        None,
        N_("A key that senders of pings already use: it may bring measurements in, and nothing else."),
        title=N_("Key of former ping senders"),
        on_page=False,
        alias="COLLECTOR_API_KEY",
    ),
    Setting(
        "hub.log_level",
        "str",
        "INFO",
        N_("The least severe entries that are logged: DEBUG, INFO, WARNING or ERROR."),
        title=N_("Log level"),
        on_page=False,
    ),
)
