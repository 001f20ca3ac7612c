"""A workbook that is open in Excel or Calc on this computer, through xlwings.

`attachment` finds it, `patience` waits while the program is busy, `page` reads a sheet, `block` works out what is
written in which pieces, `book` is the `Workbook` seam over them.
"""

from xlsms.workbook.live.attachment import Attachment
from xlsms.workbook.live.book import LiveWorkbook
from xlsms.workbook.live.patience import Patience

__all__ = ["Attachment", "LiveWorkbook", "Patience"]
