"""The engine that xlwings is given: `xlwings.engines.add`, see `xlwings.main.Engine`."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import xlwings
from xlwings import base_classes

from xlsms.addin.calc import value
from xlsms.addin.calc.app import App
from xlsms.addin.calc.guard import Guard
from xlsms.addin.calc.link import Link

__all__ = ["NAME", "Engine", "register"]

NAME = "libreoffice"


class Engine:
    """One running LibreOffice."""

    name, type = NAME, "desktop"

    def __init__(self, link: Link, guard: Guard | None = None) -> None:
        self.link = link
        self.guard = guard or Guard()

    @property
    def apps(self) -> "Apps":
        """The instances; there is one for a user's profile."""
        return Apps(self)

    @staticmethod
    def prepare_xl_data_element(element: object, options: object = None) -> object:  # noqa: ARG004 - xlwings passes it
        """A value on its way into a cell."""
        return value.prepared(element)

    @staticmethod
    def clean_value_data(
        data: Iterable[Iterable[Any]],
        datetime_builder: Callable[..., object],
        empty_as: object,
        number_builder: Callable[[float], object] | None,
        err_to_str: bool,  # noqa: FBT001 - as xlwings calls it
    ) -> list[list[object]]:
        """Values on their way out of cells."""
        return value.cleaned(data, datetime_builder, empty_as, number_builder, errors=err_to_str)


class Apps(base_classes.Apps):
    """The one instance."""

    def __init__(self, engine: Engine) -> None:
        self._app = App(engine)

    def keys(self) -> list[int]:
        """Its number."""
        return [self._app.pid]

    def add(self, *_: object, **__: object) -> App:
        """The one that runs: none is ever started."""
        return self._app

    @staticmethod
    def cleanup() -> None:
        """Nothing is ever ended."""

    def __iter__(self) -> Iterator[App]:
        yield self._app

    def __len__(self) -> int:
        return 1

    def __getitem__(self, pid: int) -> App:
        return self._app


def register(link: Link, *, guard: Guard | None = None) -> xlwings.Engine:
    """Make a running LibreOffice the one that xlwings speaks to."""
    engine = xlwings.Engine(impl=Engine(link, guard))
    xlwings.engines.add(engine)
    engine.activate()
    return engine
