"""What can be asked for: the buttons of the ribbon, and two requests that the add-in makes by itself."""

from enum import StrEnum

__all__ = ["BUTTONS", "Need", "Verb", "needs"]


class Verb(StrEnum):
    """The one word that follows `python -I -m xlsms.addin`. No other text ever stands on that line."""

    PREVIEW = "preview"  #: show what the marked rows would send
    SEND = "send"  #: send the marked rows
    SEND_SELECTED = "send-selected"  #: send the selected rows, marked or not
    MARK = "mark"  #: mark the selected rows, or take the marks out when all of them have one
    STOP = "stop"  #: the red button: nothing more leaves
    REFRESH = "refresh"  #: write what is new into the sheet now, and say what it was
    REPLIES = "replies"  #: the conversation with the number of the selected row
    ANSWER = "answer"  #: answer the number of the selected row
    COLUMNS = "columns"  #: add the columns that xlsms fills in
    NEW = "new"  #: a new workbook from a template
    REPORT = "report"  #: the figures of this workbook
    START = "start"  #: start the service
    SETTINGS = "settings"  #: the settings of the service
    HELP = "help"  #: the manual
    UPDATE = "update"  #: asked by the tick when there is news: as refresh, and silent
    LISTEN = "listen"  #: started by the tick: stays, and leaves word where the tick looks when there is news


class Need(StrEnum):
    """What must be there for a verb; without it the button is grey."""

    NOTHING = "nothing"
    BOOK = "book"  #: a workbook
    ROWS = "rows"  #: selected cells on a worksheet
    AWAY = "away"  #: no service that is known to run


_NEEDS = {
    Verb.SEND_SELECTED: Need.ROWS,
    Verb.MARK: Need.ROWS,
    Verb.REPLIES: Need.ROWS,
    Verb.ANSWER: Need.ROWS,
    Verb.STOP: Need.NOTHING,
    Verb.NEW: Need.NOTHING,
    Verb.START: Need.AWAY,
    Verb.SETTINGS: Need.NOTHING,
    Verb.HELP: Need.NOTHING,
    Verb.LISTEN: Need.NOTHING,
}

#: The verbs that have a button, in the order of the ribbon.
BUTTONS = tuple(verb for verb in Verb if verb not in (Verb.UPDATE, Verb.LISTEN))


def needs(verb: Verb) -> Need:
    """What must be there for `verb`."""
    return _NEEDS.get(verb, Need.BOOK)
