"""What each verb of the ribbon does, in the open workbook and with the service."""

from collections.abc import Callable, Mapping

from xlsms.addin.commands import asking, listening, marking, refreshing, sending, telling
from xlsms.addin.commands.desk import voice_of
from xlsms.addin.commands.voice import complaint
from xlsms.addin.invocation import Invocation
from xlsms.addin.verb import Verb
from xlsms.errors import XlsmsError

__all__ = ["COMMANDS", "complain"]

COMMANDS: Mapping[Verb, Callable[[Invocation], None]] = {
    Verb.PREVIEW: sending.preview,
    Verb.SEND: sending.send,
    Verb.SEND_SELECTED: sending.send_selected,
    Verb.MARK: marking.mark,
    Verb.STOP: telling.stop,
    Verb.REFRESH: refreshing.refresh,
    Verb.REPLIES: asking.replies,
    Verb.ANSWER: asking.answer,
    Verb.COLUMNS: marking.columns,
    Verb.NEW: telling.new,
    Verb.REPORT: telling.report,
    Verb.START: telling.start,
    Verb.SETTINGS: telling.settings,
    Verb.HELP: telling.manual,
    Verb.UPDATE: refreshing.update,
    Verb.LISTEN: listening.listen,
}

_SILENT = frozenset({Verb.UPDATE, Verb.LISTEN})  # nobody has asked for anything: it is tried again by itself


def complain(request: Invocation, error: XlsmsError) -> None:
    """Tell the user what is wrong and what to do, in the language of the spreadsheet program."""
    if request.verb not in _SILENT:
        voice_of(request).warn(complaint(error, request.language))
