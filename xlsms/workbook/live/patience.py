"""Waiting, for a while, for a spreadsheet program that takes no calls: a cell is being edited, a dialog is open."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import xlwings as xw

from xlsms.errors import TransientError, UserError, XlsmsError

__all__ = ["BusyError", "NotTakenError", "Patience", "is_busy", "quiet"]

Result = TypeVar("Result")

#: COM results of a call that was not made ([MS-ERREF] 2.1): rejected, retry later, and Excel's own in edit mode.
_BUSY = frozenset({-2147418111, -2147417846, -2146777998})
_TIMED_OUT = -1712  # of an Apple event
_DETAIL = 2  # where a COM error carries what the program itself says
_DELAYS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6)


class BusyError(Exception):
    """The program answered as it does when it does nothing."""

    code = "excel-busy"


class NotTakenError(BusyError):
    """What was written does not stand in the cells."""

    code = "excel-not-taken"


def is_busy(error: BaseException) -> bool:
    """Whether a call failed because the program takes none at the moment."""
    if isinstance(error, BusyError) or type(error).__name__ == "ExcelBusyError":
        return True
    numbers = {getattr(error, "hresult", None), getattr(error, "errornumber", None)}
    told = error.args[_DETAIL] if len(error.args) > _DETAIL else None
    if isinstance(told, tuple) and told:
        numbers.add(told[-1])  # the code of the program, inside the general "exception occurred"
    return bool(numbers & (_BUSY | {_TIMED_OUT}))


class Patience:
    """Tries again while the program is busy, a few seconds in all. `sleep` is the wait between two tries."""

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep, delays: tuple[float, ...] = _DELAYS) -> None:
        self._sleep, self._delays = sleep, delays

    def through(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, begun anew each time the program turns out to be busy.

        Raises:
            TransientError: `excel-busy` when it stays so; `excel-not-taken` when it takes no values.
            UserError: `excel-refused` with what the program said to something else.
        """
        for delay in (*self._delays, None):
            try:
                return work()
            except (XlsmsError, AssertionError):
                raise
            except Exception as error:
                if not is_busy(error):
                    raise UserError("excel-refused", reason=_said(error)) from error
                if delay is None:
                    raise TransientError(getattr(error, "code", BusyError.code)) from error
                self._sleep(delay)
        raise AssertionError  # the last delay is None


def _said(error: Exception) -> str:
    """What the program says about an error, in one line."""
    told = error.args[_DETAIL] if len(error.args) > _DETAIL else None
    if isinstance(told, tuple):
        text = next((part for part in told if isinstance(part, str) and " " in part), "")
        if text:
            return " ".join(text.split())
    return " ".join(str(error).split()) or type(error).__name__


class quiet:  # noqa: N801 - used like a function
    """Neither redrawing nor the user's change macros while cells are written; all is put back, whatever happens.

    A class, for the errors of UNO do not survive `contextlib`, which sets their traceback.
    """

    def __init__(self, app: xw.App, patience: Patience) -> None:
        self._app, self._patience = app, patience
        self._before: dict[str, object] = {}

    def __enter__(self) -> None:
        try:
            for name in ("screen_updating", "enable_events"):
                self._before[name] = getattr(self._app, name)
                setattr(self._app, name, False)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            # also of a program that is busy just now; one that has gone needs it no more
            with suppress(Exception):
                self._patience.through(partial(setattr, self._app, name, value))
