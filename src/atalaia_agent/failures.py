"""Why a measurement failed, in a few stable words."""

from __future__ import annotations

import errno
import socket
import sys

FAIL = "fail"
TIMEOUT = "timeout"
ERROR = "error"


class ProbeError(Exception):
    """A measurement that ends without success.

    `outcome` is "fail" when the target is at fault, "timeout" when it kept silent, and "error" when the measurement itself
    could not be made (an option is wrong, a permission or a driver is missing).
    """

    def __init__(self, code: str, message: str, *, outcome: str = FAIL) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.outcome = outcome


class BadOption(ProbeError):
    def __init__(self, name: str, message: str) -> None:
        super().__init__("bad_option", f"{name}: {message}", outcome=ERROR)


_ERRNO_CODES = {
    errno.ECONNREFUSED: "connection_refused",
    errno.ECONNRESET: "connection_reset",
    errno.EPIPE: "connection_reset",
    errno.ECONNABORTED: "connection_reset",
    errno.ENETUNREACH: "network_unreachable",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.EADDRNOTAVAIL: "network_unreachable",
}

# X509_V_ERR_*: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_EXPIRED = 10
_NAME_MISMATCH = (62, 64)


def as_probe_error(failure: BaseException) -> ProbeError:
    if isinstance(failure, ProbeError):
        return failure
    if isinstance(failure, TimeoutError):
        return ProbeError("timeout", str(failure) or "timed out", outcome=TIMEOUT)
    if isinstance(failure, socket.gaierror):
        return ProbeError("dns_failed", failure.strerror or str(failure))
    if isinstance(failure, OSError):
        return _from_os_error(failure)
    return ProbeError("internal_error", f"{type(failure).__name__}: {failure}", outcome=ERROR)


def _from_os_error(failure: OSError) -> ProbeError:
    # Only a process that has used TLS has the module; importing it here would cost 4 MB for nothing.
    ssl = sys.modules.get("ssl")
    if ssl is not None and isinstance(failure, ssl.SSLError):
        return _from_tls_error(failure)
    code = _ERRNO_CODES.get(failure.errno or 0, "network_error")
    return ProbeError(code, failure.strerror or str(failure))


def _from_tls_error(failure: OSError) -> ProbeError:
    verify_code = getattr(failure, "verify_code", None)
    if verify_code is None:
        return ProbeError("tls_failed", getattr(failure, "reason", None) or str(failure))
    message = getattr(failure, "verify_message", str(failure))
    if verify_code == _EXPIRED:
        return ProbeError("tls_expired", message)
    if verify_code in _NAME_MISMATCH:
        return ProbeError("tls_name_mismatch", message)
    return ProbeError("tls_untrusted", message)
