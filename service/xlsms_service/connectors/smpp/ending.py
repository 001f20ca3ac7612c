"""Why an SMPP link is over, and what the one who looks at it has to know."""

from dataclasses import dataclass

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.constants import Status, status_name, status_text
from xlsms_service.protocols.smpp.event import Closed, End

__all__ = ["Ended", "bind_refused", "closed", "hung_up"]

_LOGIN_REFUSED = frozenset({Status.BIND_FAILED, Status.WRONG_PASSWORD, Status.WRONG_SYSTEM_ID})

_CODES: dict[End, str | None] = {
    End.LEFT: None,
    End.DISMISSED: "smsc-hung-up",
    End.BIND_UNANSWERED: "smsc-silent",
    End.SILENT: "smsc-silent",
    End.GARBLED: "smsc-garbled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Why a link is over."""

    error: XlsmsError | None  #: None when we took leave
    bound: bool  #: whether it had been up
    refused: bool = False  #: someone has to mend the settings
    worked: bool = False  #: whether it took or brought anything


def closed(event: Closed, settings: SmppSettings, *, bound: bool, leaving: bool) -> Ended:
    """The session says that it is over."""
    code = _CODES[event.end]
    reason = event.detail or event.end.value
    return Ended(error=None if code is None or leaving else _trouble(code, settings, reason), bound=bound)


def bind_refused(status: int, settings: SmppSettings) -> Ended:
    """The SMSC does not let us in."""
    reason = f"{status_text(status)}, {status_name(status)}"
    if status in _LOGIN_REFUSED:
        error = UserError("smsc-login-refused", system_id=settings.system_id, reason=reason)
        return Ended(error=error, bound=False, refused=True)
    return Ended(error=_trouble("smsc-bind-refused", settings, reason), bound=False)


def hung_up(reason: str, settings: SmppSettings, *, bound: bool) -> Ended:
    """The connection is gone, and nobody had said why."""
    return Ended(error=_trouble("smsc-hung-up", settings, reason), bound=bound)


def _trouble(code: str, settings: SmppSettings, reason: str) -> TransientError:
    return TransientError(code, host=settings.host, port=settings.port, reason=reason)
