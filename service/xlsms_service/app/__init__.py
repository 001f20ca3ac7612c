"""The service put together: ledger, links, workbooks and inbox, wired by wake-ups only."""

from xlsms_service.app.event import Event
from xlsms_service.app.following import HELD_OPEN, Patience, Progress, Report
from xlsms_service.app.service import App
from xlsms_service.app.status import Status, looking, status
from xlsms_service.app.terms import terms

__all__ = ["HELD_OPEN", "App", "Event", "Patience", "Progress", "Report", "Status", "looking", "status", "terms"]
