"""The sheets that xlsms adds, built in a workbook of their own: replies, and a report with figures and a chart."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from xlsms.states import LABELS, State
from xlsms.workbook.base import Language
from xlsms.workbook.palette import COLOURS

__all__ = ["REPLIES", "REPORT", "Counted", "build", "reply_columns"]

REPLIES, REPORT = "SMS Replies", "SMS Report"

_INK, _FAINT, _OURS = "1F2937", "6B7280", "0F766E"
_REPLY_WIDTHS = (18, 18, 60, 24, 16)

_HEADERS = {
    "en": ("Received", "Phone", "Text", "Sheet", "SMS ID"),
    "es": ("Recibido", "Teléfono", "Texto", "Hoja", "SMS ID"),
}
_WORDS = {
    "en": {
        "report": "SMS report",
        "hint": "Counted by formulas over the columns of this workbook, whenever it is calculated.",
        "state": "State",
        "total": "Total",
        "all": "All messages",
        "answers": "Replies",
        "chart": "Messages by state",
    },
    "es": {
        "report": "Informe de SMS",
        "hint": "Contado por fórmulas sobre las columnas de este libro, cada vez que se calcula.",
        "state": "Estado",
        "total": "Total",
        "all": "Todos los mensajes",
        "answers": "Respuestas",
        "chart": "Mensajes por estado",
    },
}


def reply_columns() -> dict[str, str]:
    """What each header of the table of replies is for, in lower case and in every language."""
    keys = ("received", "phone", "text", "sheet", "id")
    return {text.casefold(): key for texts in _HEADERS.values() for text, key in zip(texts, keys, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A sheet that the report counts over: its name, and its status and reply columns as formulas call them."""

    name: str
    status: str
    reply: str


def build(
    wanted: Sequence[str], counted: Sequence[Counted], language: Language, *, tables: Sequence[str], font: str
) -> bytes:
    """A workbook of the sheets in `wanted`.

    Their tables get names that are not among `tables` (in lower case). `font` is the name of the usual one over there.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    for name in wanted:
        sheet = book.create_sheet(name)
        sheet.sheet_properties.tabColor = _OURS
        sheet.sheet_view.showGridLines = False
        if name == REPLIES:
            _replies(sheet, language, _free("SMS_Replies", tables))
        else:
            _report(sheet, counted, language, _free("SMS_Report", tables))
        for row in sheet.iter_rows():
            for cell in row:
                cell.font = _named(cell.font, font)
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _named(old: Font, name: str) -> Font:
    return Font(name=name, size=old.size, bold=old.bold, color=old.color)


def _free(name: str, tables: Sequence[str]) -> str:
    numbered = name
    number = 1
    while numbered.lower() in tables:
        number += 1
        numbered = f"{name}_{number}"
    return numbered


def _table(sheet: Worksheet, ref: str, name: str) -> None:
    table = Table(displayName=name, name=name, ref=ref)
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium7", showRowStripes=True)
    sheet.add_table(table)


def _headers(sheet: Worksheet, row: int, texts: Sequence[str], widths: Sequence[float]) -> None:
    for column, (text, width) in enumerate(zip(texts, widths, strict=True), 1):
        cell = sheet.cell(row, column, text)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", start_color=_OURS)
        cell.alignment = Alignment(vertical="center")
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.row_dimensions[row].height = 22


def _replies(sheet: Worksheet, language: Language, name: str) -> None:
    """An empty table that grows; its columns have the looks of the rows to come."""
    texts = _HEADERS[language]
    _headers(sheet, 1, texts, _REPLY_WIDTHS)
    for column, code in enumerate(("yyyy-mm-dd hh:mm", "@", "@", "@", "@"), 1):
        look = sheet.column_dimensions[get_column_letter(column)]
        look.number_format = code
        look.alignment = Alignment(vertical="top", wrap_text=column == 3)  # noqa: PLR2004 - the text
        cell = sheet.cell(2, column)
        cell.number_format, cell.alignment = code, Alignment(vertical="top", wrap_text=column == 3)  # noqa: PLR2004
    sheet.freeze_panes = "A2"
    _table(sheet, f"A1:{get_column_letter(len(texts))}2", name)


def _report(sheet: Worksheet, counted: Sequence[Counted], language: Language, name: str) -> None:
    words = _WORDS[language]
    sheet["A1"], sheet["A2"] = words["report"], words["hint"]
    sheet["A1"].font, sheet["A2"].font = Font(size=18, bold=True, color=_OURS), Font(color=_FAINT)
    several = len(counted) > 1
    titles = _unlike([each.name for each in counted], {words["state"], words["total"]}) if several else []
    texts = [words["state"], *titles, words["total"]]
    _headers(sheet, 4, texts, [24, *(18 for _ in texts[1:])])
    last = len(texts)
    states = list(COLOURS)
    for row, state in enumerate(states, 5):
        label = sheet.cell(row, 1, LABELS[language][state])
        background, ink = COLOURS[state]
        label.font, label.fill = Font(bold=True, color=ink), PatternFill("solid", start_color=background)
        parts = [f"COUNTIF({each.status},$A{row})" for each in counted]
        _figures(sheet, row, parts, last)
    bottom = 4 + len(states)
    _table(sheet, f"A4:{get_column_letter(last)}{bottom}", name)
    sheet.cell(bottom + 2, 1, words["all"]).font = Font(bold=True)
    for column in range(2, last + 1):
        letter = get_column_letter(column)
        sheet.cell(bottom + 2, column, f"=SUM({letter}5:{letter}{bottom})").font = Font(bold=True)
    sheet.cell(bottom + 3, 1, words["answers"]).font = Font(bold=True)
    # cells with text in them; the header of a column, if it is among them, is not counted
    _figures(sheet, bottom + 3, [f'COUNTIF({each.reply},"?*")' for each in counted], last)
    sheet.add_chart(_chart(words["chart"], sheet, last, states), f"{get_column_letter(last + 2)}4")


def _figures(sheet: Worksheet, row: int, parts: Sequence[str], last: int) -> None:
    if last > 2:  # noqa: PLR2004 - a column for each sheet
        for column, part in enumerate(parts, 2):
            sheet.cell(row, column, f"={part}")
        sheet.cell(row, last, f"=SUM(B{row}:{get_column_letter(last - 1)}{row})")
    else:
        sheet.cell(row, last, "=" + "+".join(parts))


def _unlike(names: Sequence[str], taken: set[str]) -> list[str]:
    """Headers of a table differ, whatever the sheets are called."""
    seen = {text.casefold() for text in taken}
    found = []
    for name in names:
        text, number = name, 1
        while text.casefold() in seen:
            number += 1
            text = f"{name} {number}"
        seen.add(text.casefold())
        found.append(text)
    return found


def _chart(title: str, sheet: Worksheet, column: int, states: Sequence[State]) -> BarChart:
    """Bars in the colours of the states."""
    chart = BarChart()
    chart.type, chart.style, chart.title, chart.legend = "bar", 10, title, None
    chart.add_data(Reference(sheet, min_col=column, min_row=5, max_row=4 + len(states)))
    chart.set_categories(Reference(sheet, min_col=1, min_row=5, max_row=4 + len(states)))
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete, chart.y_axis.delete = False, True  # the figures stand at the bars
    chart.y_axis.majorGridlines = None
    chart.y_axis.number_format = "0"
    chart.gapWidth = 40
    chart.height, chart.width = 9.5, 18
    series = chart.series[0]
    series.dLbls = DataLabelList()
    series.dLbls.showVal = True
    for name in ("showSerName", "showCatName", "showLegendKey", "showPercent"):
        setattr(series.dLbls, name, False)
    for index, state in enumerate(states):
        point = DataPoint(idx=index)
        point.graphicalProperties.solidFill = COLOURS[state][1]
        series.dPt.append(point)
    return chart
