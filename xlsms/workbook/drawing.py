"""The sheets that xlsms adds, built by openpyxl in a workbook of their own: replies, report, settings and rules."""

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import DataPoint
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from xlsms.states import LABELS, State
from xlsms.workbook.base import Language
from xlsms.workbook.own_sheets import REPLIES, REPLY_HEADERS, REPORT, RULES, Counted
from xlsms.workbook.palette import COLOURS
from xlsms.workbook.setting import COLUMNS, SETTINGS, setting_names

__all__ = ["build"]

_RULE_ROWS = 12  # of the empty table
_FAINT, _AMBER, _OURS, _PALE, _LINE = "6B7280", "92400E", "0F766E", "F0FDFA", "D1D5DB"
_REPLY_WIDTHS = (18, 18, 60, 24, 16)

_WORDS = {
    "en": {
        "report": "SMS report",
        "hint": "Counted by formulas over the columns of this workbook, whenever it is calculated.",
        "state": "State",
        "total": "Total",
        "all": "All messages",
        "answers": "Replies",
        "chart": "Messages by state",
        "settings": "SMS settings",
        "settings hint": "A line without a value sets nothing. With a sheet, it holds in that sheet only.",
        "rules": "SMS rules",
        "rules hint": "Not in use yet: xlsms does not answer texts by itself. What you write here is kept.",
        "match": "How a text must match",
        "match hint": "is: the whole text. starts with, contains: a part of it. pattern: a regular expression.",
    },
    "es": {
        "report": "Informe de SMS",
        "hint": "Contado por fórmulas sobre las columnas de este libro, cada vez que se calcula.",
        "state": "Estado",
        "total": "Total",
        "all": "Todos los mensajes",
        "answers": "Respuestas",
        "chart": "Mensajes por estado",
        "settings": "Ajustes de SMS",
        "settings hint": "Una línea sin valor no ajusta nada. Con una hoja, vale solo en esa hoja.",
        "rules": "Reglas de SMS",
        "rules hint": "Aún sin uso: xlsms no responde mensajes por sí solo. Lo que escriba aquí se conserva.",
        "match": "Cómo debe parecerse el texto",
        "match hint": "es: el texto entero. empieza por, contiene: una parte. patrón: una expresión regular.",
    },
}
_SETTING_WIDTHS = (34, 48, 20, 76)
_MEANINGS = {
    "en": {
        "text": "The text of rows whose own message is empty. {Name} puts in what stands under the header Name.",
        "country": "Two letters, such as ES, MX or GB: how numbers without + are read.",
        "origin": "Who messages come from where the row is silent: a number, or 11 letters and digits.",
        "column": "The header of that column, if xlsms does not know it by itself.",
    },
    "es": {
        "text": "El texto de las filas sin mensaje propio. {Nombre} pone lo que hay bajo el título Nombre.",
        "country": "Dos letras, como ES, MX o GB: cómo se leen los números sin +.",
        "origin": "De quién son los mensajes si la fila no lo dice: un número, u 11 letras y cifras.",
        "column": "El título de esa columna, si xlsms no lo conoce por sí solo.",
    },
}
_RULE_WIDTHS = (22, 16, 54, 22, 22, 36)
_RULES = {
    "en": ("Keyword", "Match", "Answer", "Column", "Value", "Note"),
    "es": ("Palabra clave", "Coincidencia", "Respuesta", "Columna", "Valor", "Nota"),
}
_MATCHES = {"en": "is,starts with,contains,pattern", "es": "es,empieza por,contiene,patrón"}


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
        table = _free(name.replace(" ", "_"), tables)
        if name == REPORT:
            _report(sheet, counted, language, table)
        else:
            {REPLIES: _replies, SETTINGS: _settings, RULES: _rules}[name](sheet, language, table)
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
    texts = REPLY_HEADERS[language]
    _headers(sheet, 1, texts, _REPLY_WIDTHS)
    for column, code in enumerate(("yyyy-mm-dd hh:mm", "@", "@", "@", "@"), 1):
        look = sheet.column_dimensions[get_column_letter(column)]
        look.number_format = code
        look.alignment = Alignment(vertical="top", wrap_text=column == 3)  # noqa: PLR2004 - the text
        cell = sheet.cell(2, column)
        cell.number_format, cell.alignment = code, Alignment(vertical="top", wrap_text=column == 3)  # noqa: PLR2004
    sheet.freeze_panes = "A2"
    _table(sheet, f"A1:{get_column_letter(len(texts))}2", name)


def _titled(sheet: Worksheet, title: str, hint: str) -> None:
    sheet["A1"], sheet["A2"] = title, hint
    sheet["A1"].font, sheet["A2"].font = Font(size=18, bold=True, color=_OURS), Font(color=_FAINT)


def _field(cell: Cell | MergedCell) -> None:
    """A cell to write text into, with a line below it."""
    cell.number_format, cell.alignment = "@", Alignment(vertical="top", wrap_text=True)
    cell.border = Border(bottom=Side("thin", color=_LINE))


def _settings(sheet: Worksheet, language: Language, name: str) -> None:
    """A line for each setting; what is filled in is text."""
    words = _WORDS[language]
    _titled(sheet, words["settings"], words["settings hint"])
    _headers(sheet, 4, COLUMNS[language], _SETTING_WIDTHS)
    names = setting_names(language)
    for row, (key, text) in enumerate(names.items(), 5):
        meaning = _MEANINGS[language].get(str(key), _MEANINGS[language]["column"])
        for column, value in enumerate((text, None, None, meaning), 1):
            cell = sheet.cell(row, column, value)
            _field(cell)
        sheet.cell(row, 2).fill = sheet.cell(row, 3).fill = PatternFill("solid", start_color=_PALE)
        sheet.cell(row, 1).font, sheet.cell(row, 4).font = Font(bold=True), Font(color=_FAINT)
    sheet.row_dimensions[5].height = 48  # room for a text
    sheet.freeze_panes = "A5"
    _table(sheet, f"A4:D{4 + len(names)}", name)


def _rules(sheet: Worksheet, language: Language, name: str) -> None:
    """An empty table for rules, with the ways to match to choose from."""
    words = _WORDS[language]
    _titled(sheet, words["rules"], words["rules hint"])
    sheet["A2"].font = Font(color=_AMBER, bold=True)
    texts = _RULES[language]
    _headers(sheet, 4, texts, _RULE_WIDTHS)
    last = 4 + _RULE_ROWS
    for row in range(5, last + 1):
        for column in range(1, len(texts) + 1):
            _field(sheet.cell(row, column))
    choice = DataValidation(
        type="list", formula1=f'"{_MATCHES[language]}"', allow_blank=True, showInputMessage=True, showErrorMessage=True
    )
    choice.promptTitle, choice.prompt = words["match"], words["match hint"]
    choice.add(f"B5:B{last}")
    sheet.add_data_validation(choice)
    sheet.freeze_panes = "A5"
    _table(sheet, f"A4:{get_column_letter(len(texts))}{last}", name)


def _report(sheet: Worksheet, counted: Sequence[Counted], language: Language, name: str) -> None:
    words = _WORDS[language]
    _titled(sheet, words["report"], words["hint"])
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
