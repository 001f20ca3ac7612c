"""What the settings say about a send."""

from zoneinfo import ZoneInfo

from xlsms.model import Priority
from xlsms_service.config import Mark, Settings
from xlsms_service.connectors.repertoire import repertoire
from xlsms_service.planning import Terms

__all__ = ["terms"]


def terms(
    settings: Settings, mark: Mark = "marked", *, hidden: bool = False, priority: Priority = Priority.NORMAL
) -> Terms:
    """What the settings say about a send."""
    service = settings.service
    return Terms(
        country=service.country,
        sender=service.sender,
        parts=service.parts,
        transliterate=service.transliterate,
        repertoire=repertoire(settings.connectors),
        all_rows=mark == "all",
        hidden=hidden,
        zone=ZoneInfo(service.zone) if service.zone else None,
        priority=priority,
        validity=service.validity,
    )
