"""What access is set to, as its routes need it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from atalaia.access.cookies import CookieNames
from atalaia.access.sessions import SessionLimits
from atalaia.core.settings import Setting, Settings
from atalaia.core.translations import N_

IDLE = "access.session_idle_hours"
ABSOLUTE = "access.session_days"
AUDIT_DAYS = "access.audit_retention_days"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        IDLE,
        "float",
        12.0,
        N_("A session ends after so many hours without a request."),
        title=N_("Idle sessions end after"),
        minimum=0.1,
        maximum=24 * 30,
    ),
    Setting(
        ABSOLUTE,
        "float",
        30.0,
        N_("A session ends after so many days, however busy."),
        title=N_("Sessions end after"),
        minimum=0.1,
        maximum=365,
    ),
    Setting(
        AUDIT_DAYS,
        "int",
        730,
        N_("Days that entries of the audit log are kept."),
        title=N_("Audit log kept for"),
        minimum=30,
        maximum=36_500,
    ),
)


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """`can_mail`: links can be sent by e-mail, so that people may ask for one themselves."""

    settings: Settings
    public_url: str
    can_mail: Callable[[], bool]

    @property
    def cookies(self) -> CookieNames:
        return CookieNames(is_secure=self.public_url.startswith("https://"))

    def limits(self) -> SessionLimits:
        return SessionLimits(idle_s=self.settings.get(IDLE) * 3600, absolute_s=self.settings.get(ABSOLUTE) * 86400)

    @property
    def audit_kept(self) -> timedelta:
        return timedelta(days=self.settings.get(AUDIT_DAYS))

    def address_of(self, path: str) -> str:
        """The whole address of a path of this hub."""
        return self.public_url.rstrip("/") + path
