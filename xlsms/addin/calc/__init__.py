"""LibreOffice Calc as xlwings sees Excel: an engine of xlwings' own kind over UNO."""

from xlsms.addin.calc.engine import Engine, register
from xlsms.addin.calc.guard import Guard, QuirkError
from xlsms.addin.calc.link import Link

__all__ = ["Engine", "Guard", "Link", "QuirkError", "register"]
