"""How letters in cells of Calc look, and its colours."""

from xlwings import base_classes

from xlsms.addin.calc.link import Uno
from xlsms.addin.calc.undo import unrecorded

__all__ = ["Font", "number_of", "rgb"]

_BOLD, _PLAIN = 150.0, 100.0


class Font(base_classes.Font):
    """How letters look."""

    def __init__(self, cells: Uno, document: Uno) -> None:
        self._cells, self.document = cells, document

    @property
    def bold(self) -> bool:
        """Whether they are bold."""
        return bool(self._cells.CharWeight == _BOLD)

    @bold.setter
    @unrecorded
    def bold(self, value: bool) -> None:
        self._cells.CharWeight = _BOLD if value else _PLAIN

    @property
    def color(self) -> tuple[int, int, int] | None:
        """Their colour; None for the office's own."""
        return rgb(self._cells.CharColor)

    @color.setter
    @unrecorded
    def color(self, value: tuple[int, int, int] | int | None) -> None:
        self._cells.CharColor = number_of(value)


def rgb(colour: int | None) -> tuple[int, int, int] | None:
    """A colour as xlwings has it; None for the office's own."""
    return None if colour in (-1, None) else (colour >> 16 & 255, colour >> 8 & 255, colour & 255)


def number_of(colour: tuple[int, int, int] | int | None) -> int:
    """The other way."""
    if isinstance(colour, tuple):
        return colour[0] << 16 | colour[1] << 8 | colour[2]
    return -1 if colour is None else colour
