"""Where an open sheet ends on the right."""

import xlwings as xw

from xlsms.workbook.live.glance import read_block
from xlsms.workbook.live.page import Page

__all__ = ["right_edge"]


def right_edge(sheet: xw.Sheet, page: Page) -> int:
    """The last column with anything in it at or below the header row."""
    headers = page.left + len(page.values[0]) - 1
    last, right = page.end
    if right <= headers:
        return max(column for column in range(page.left, headers + 1) if _filled(page, column))
    beside = read_block(sheet, page.heading.row, headers + 1, max(last, page.heading.row + 1), right)
    used = [at for row in beside for at, value in enumerate(row, headers + 1) if value is not None]
    return max(used, default=max(column for column in range(page.left, headers + 1) if _filled(page, column)))


def _filled(page: Page, column: int) -> bool:
    return any(page.value((row, column)) is not None for row in range(page.heading.row, page.last + 1))
