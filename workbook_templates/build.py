"""Build the workbooks that users start from: `python workbook_templates/build.py [FOLDER]`.

The same code gives the same bytes inside every part, whenever it runs; a test compares the built files with a fresh
build. `xlsms init` gives each copy a GUID of its own.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from xlsms.states import LABELS, State
from xlsms.templates import packed
from xlsms.workbook.palette import COLOURS

MADE = datetime(2026, 1, 1, tzinfo=UTC)
HEADER_ROW = 4
LAST_ROW = 10_000  # how far down the drop-down and the colours reach

FONT = "Arial"
INK = "1F2937"
FAINT = "6B7280"
OURS = "0F766E"  # header of what the user fills in
RESULT = "475569"  # header of what xlsms fills in
LINE = Side(style="thin", color="E5E7EB")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; `letter` order is the order of the sheet."""

    key: str
    width: float
    format: str = "General"
    centred: bool = False
    wrapped: bool = False
    result: bool = False
    hidden: bool = False


COLUMNS = (
    Column(key="name", width=26),
    Column(key="phone", width=18, format="@"),
    Column(key="date", width=12, format="dd/mm/yyyy", centred=True),
    Column(key="time", width=8, format="hh:mm", centred=True),
    Column(key="message", width=60, wrapped=True),
    Column(key="send", width=9, centred=True),
    Column(key="status", width=13, centred=True, result=True),
    Column(key="detail", width=60, wrapped=True, result=True),
    Column(key="status time", width=17, format="dd/mm/yyyy hh:mm", centred=True, result=True),
    Column(key="reply", width=48, wrapped=True, result=True),
    Column(key="reply time", width=20, format="dd/mm/yyyy hh:mm", centred=True, result=True),
    Column(key="id", width=16, format="@", result=True, hidden=True),
)


@dataclass(frozen=True, kw_only=True)
class Words:
    """Everything that the workbook says in one language."""

    language: str
    sheet: str
    title: str
    hint: str
    headers: Mapping[str, str]
    message: str
    people: tuple[tuple[str, str], ...]
    mark_title: str
    mark_text: str
    guide: str
    steps: tuple[tuple[str, str], ...]
    states: str
    meanings: Mapping[State, str]


ENGLISH = Words(
    language="en",
    sheet="Reminders",
    title="Appointment reminders",
    hint="Put an x in the Send column of every row that is to go out. The grey columns fill themselves in.",
    headers={
        "name": "Name",
        "phone": "Phone",
        "date": "Date",
        "time": "Time",
        "message": "Message",
        "send": "Send",
        "status": "Status",
        "detail": "Detail",
        "status time": "Status time",
        "reply": "Reply",
        "reply time": "Reply time",
        "id": "SMS ID",
    },
    message="Hello {Name}, you have an appointment on {Date:dd/MM} at {Time}. Reply YES to confirm or NO to cancel.",
    people=(
        ("Sample One", "+1 202 555 0101"),
        ("Sample Two", "+1 202 555 0102"),
        ("Sample Three", "+1 202 555 0103"),
    ),
    mark_title="Send this row?",
    mark_text="x sends it. An empty cell sends nothing.",
    guide="How to",
    steps=(
        ("Delete the three sample rows", "and type or paste your own list. The numbers above are samples."),
        ("Write the number as you like", "612 345 678, +34 612 345 678 or 0034…: what Excel did to it is mended."),
        ("Write the text once", "and fill it down. {Name} stands for the cell under Name, {Date:dd/MM} for a date."),
        ("Put an x under Send", "in every row that is to go out. Nothing else is ever sent."),
        ("Look at it first", "xlsms check FILE shows each text, how many SMS it takes, and what is wrong."),
        ("Save the workbook and send", "xlsms send FILE, or put the workbook into a watched folder."),
        (
            "Sort, filter and add columns freely",
            "each result finds its row by the hidden column SMS ID. Keep that one.",
        ),
    ),
    states="What the states mean",
    meanings={
        State.QUEUED: "waits for its turn",
        State.SCHEDULED: "waits for its send time",
        State.SENDING: "is on its way to the network",
        State.SENT: "the network has it; the phone may not yet",
        State.DELIVERED: "the phone has it",
        State.FAILED: "was refused; Detail says why",
        State.EXPIRED: "the phone could not be reached in time",
        State.UNCERTAIN: "may have gone out; it is not repeated unless you mark it again",
        State.HELD: "waits for your decision; Detail says why",
        State.CANCELLED: "was taken back before it went out",
    },
)

SPANISH = Words(
    language="es",
    sheet="Recordatorios",
    title="Recordatorios de cita",
    hint="Ponga una x en la columna Enviar de cada fila que deba salir. Las columnas grises se rellenan solas.",
    headers={
        "name": "Nombre",
        "phone": "Teléfono",
        "date": "Fecha",
        "time": "Hora",
        "message": "Mensaje",
        "send": "Enviar",
        "status": "Estado",
        "detail": "Detalle",
        "status time": "Hora del estado",
        "reply": "Respuesta",
        "reply time": "Hora de la respuesta",
        "id": "SMS ID",
    },
    message="Hola {Nombre}, tiene cita el {Fecha:dd/MM} a las {Hora}. Responda SI para confirmar o NO para anular.",
    people=(
        ("Ejemplo Uno", "+34 600 000 001"),
        ("Ejemplo Dos", "+34 600 000 002"),
        ("Ejemplo Tres", "+34 600 000 003"),
    ),
    mark_title="¿Enviar esta fila?",
    mark_text="x la envía. Con la celda vacía no se envía nada.",
    guide="Instrucciones",
    steps=(
        ("Borre las tres filas de ejemplo", "y escriba o pegue su lista. Los números de arriba son ejemplos."),
        ("Escriba el número como quiera", "612 345 678, +34 612 345 678 o 0034…: lo que Excel le hizo se arregla."),
        (
            "Escriba el texto una vez",
            "y rellene hacia abajo. {Nombre} es la celda bajo Nombre, {Fecha:dd/MM} una fecha.",
        ),
        ("Ponga una x bajo Enviar", "en cada fila que deba salir. Nunca se envía otra cosa."),
        ("Mírelo antes", "xlsms check ARCHIVO muestra cada texto, cuántos SMS ocupa y qué está mal."),
        ("Guarde el libro y envíe", "xlsms send ARCHIVO, o ponga el libro en una carpeta vigilada."),
        (
            "Ordene, filtre y añada columnas sin miedo",
            "cada resultado encuentra su fila por la columna oculta SMS ID. Consérvela.",
        ),
    ),
    states="Qué significan los estados",
    meanings={
        State.QUEUED: "espera su turno",
        State.SCHEDULED: "espera su hora de envío",
        State.SENDING: "va camino de la red",
        State.SENT: "la red lo tiene; el teléfono quizá aún no",
        State.DELIVERED: "el teléfono lo tiene",
        State.FAILED: "fue rechazado; Detalle dice por qué",
        State.EXPIRED: "no se pudo llegar al teléfono a tiempo",
        State.UNCERTAIN: "puede haber salido; no se repite si no lo marca de nuevo",
        State.HELD: "espera su decisión; Detalle dice por qué",
        State.CANCELLED: "se retiró antes de salir",
    },
)


def font(*, size: float = 10, bold: bool = False, color: str = INK) -> Font:
    """The one font, by what varies."""
    return Font(name=FONT, size=size, bold=bold, color=color)


def fill(color: str) -> PatternFill:
    """A plain background."""
    return PatternFill("solid", start_color=color, end_color=color)


def lettered() -> dict[str, str]:
    """Key of a column -> its letters."""
    return {column.key: get_column_letter(index) for index, column in enumerate(COLUMNS, 1)}


def reminders(words: Words) -> Workbook:
    """The workbook for appointment reminders."""
    book = Workbook()
    book.properties.creator = "xlsms"
    book.properties.title = words.title
    book.properties.created = MADE
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook has a sheet")
    sheet.title = words.sheet
    _styles(book)
    _head(sheet, words)
    _samples(sheet, words)
    _rules(sheet, words)
    _view(sheet)
    _guide(book.create_sheet(words.guide), words)
    return book


def _styles(book: Workbook) -> None:
    for column in COLUMNS:
        style = NamedStyle(name=f"SMS {column.key}", font=font(), number_format=column.format)
        style.alignment = _alignment(column)
        style.protection = Protection(locked=False)
        book.add_named_style(style)


def _alignment(column: Column) -> Alignment:
    if column.centred:
        return Alignment(horizontal="center", vertical="center")
    return Alignment(horizontal="left", vertical="center", indent=1, wrap_text=column.wrapped or None)


def _head(sheet: Worksheet, words: Words) -> None:
    sheet["A1"] = words.title
    sheet["A1"].font = font(size=18, bold=True, color=OURS)
    sheet["A2"] = words.hint
    sheet["A2"].font = font(color=FAINT)
    # Two lines of a text where LibreOffice does no sum; not fixed, so that Excel fits each row to what stands in it.
    sheet.sheet_format.defaultRowHeight = 30
    sheet.row_dimensions[1].height = 30
    sheet.row_dimensions[2].height = 18
    sheet.row_dimensions[3].height = 8
    sheet.row_dimensions[HEADER_ROW].height = 26
    for index, column in enumerate(COLUMNS, 1):
        cell = sheet.cell(HEADER_ROW, index, words.headers[column.key])
        cell.font = font(bold=True, color="FFFFFF")
        cell.fill = fill(RESULT if column.result else OURS)
        where = "center" if column.centred else "left"
        cell.alignment = Alignment(horizontal=where, vertical="center", indent=0 if column.centred else 1)
        dimension = sheet.column_dimensions[get_column_letter(index)]
        dimension.width = column.width
        dimension.hidden = column.hidden
        # Of the rows that are still to come:
        dimension.font, dimension.number_format = font(), column.format
        dimension.alignment = _alignment(column)


def _samples(sheet: Worksheet, words: Words) -> None:
    letters = lettered()
    for offset, (name, phone) in enumerate(words.people):
        row = HEADER_ROW + 1 + offset
        for column in COLUMNS:
            sheet[f"{letters[column.key]}{row}"].style = f"SMS {column.key}"
        sheet[f"{letters['name']}{row}"] = name
        sheet[f"{letters['phone']}{row}"] = phone
        sheet[f"{letters['date']}{row}"] = date(2026, 1, 15)
        sheet[f"{letters['time']}{row}"] = time(9 + offset, 30)
        sheet[f"{letters['message']}{row}"] = words.message
    # A filter, not a table: rows typed below it belong to it in every program, a table grows in Excel only.
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(COLUMNS))}{HEADER_ROW + len(words.people)}"


def _rules(sheet: Worksheet, words: Words) -> None:
    letters = lettered()
    first, send, status, reply = HEADER_ROW + 1, letters["send"], letters["status"], letters["reply"]
    marks = DataValidation(type="list", formula1='"x"', allow_blank=True, showErrorMessage=False)
    marks.promptTitle, marks.prompt, marks.showInputMessage = words.mark_title, words.mark_text, True
    marks.add(f"{send}{first}:{send}{LAST_ROW}")
    sheet.add_data_validation(marks)
    for state, (background, ink) in COLOURS.items():
        labels = sorted({LABELS[language][state] for language in LABELS})
        tests = ",".join(f'${status}{first}="{label}"' for label in labels)
        _colour(sheet, status, f"OR({tests})", background, Font(bold=True, color=ink))
    _colour(sheet, reply, f"LEN(${reply}{first})>0", "FEF9C3", Font(color=INK))
    lined = Rule(
        type="expression", dxf=DifferentialStyle(border=Border(bottom=LINE)), formula=[f'$A{first}&$B{first}<>""']
    )
    sheet.conditional_formatting.add(f"A{first}:{get_column_letter(len(COLUMNS))}{LAST_ROW}", lined)


def _colour(sheet: Worksheet, letter: str, formula: str, background: str, ink: Font) -> None:
    style = DifferentialStyle(font=ink, fill=PatternFill(bgColor=background, fill_type="solid"))
    rule = Rule(type="expression", dxf=style, formula=[formula])
    sheet.conditional_formatting.add(f"{letter}{HEADER_ROW + 1}:{letter}{LAST_ROW}", rule)


def _view(sheet: Worksheet) -> None:
    sheet.freeze_panes = f"C{HEADER_ROW + 1}"
    sheet.sheet_view.showGridLines = False
    sheet.sheet_view.zoomScale = 100
    sheet.sheet_properties.tabColor = OURS
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    sheet.page_margins.left = sheet.page_margins.right = 0.4


def _guide(sheet: Worksheet, words: Words) -> None:
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = RESULT
    for letter, width in (("A", 6), ("B", 40), ("C", 86)):
        sheet.column_dimensions[letter].width = width
    sheet["A1"] = words.title
    sheet["A1"].font = font(size=18, bold=True, color=OURS)
    sheet.row_dimensions[1].height = 34
    row = 3
    for number, (what, how) in enumerate(words.steps, 1):
        for letter, value, style in (
            ("A", number, font(bold=True, color="FFFFFF")),
            ("B", what, font(bold=True)),
            ("C", how, font()),
        ):
            cell = sheet[f"{letter}{row}"]
            cell.value, cell.font = value, style
            where = "center" if letter == "A" else "left"
            cell.alignment = Alignment(vertical="center", horizontal=where, indent=0 if letter == "A" else 1)
            cell.border = Border(bottom=LINE)
        sheet[f"A{row}"].fill = fill(OURS)
        sheet.row_dimensions[row].height = 26
        row += 1
    row += 1
    sheet[f"A{row}"] = words.states
    sheet[f"A{row}"].font = font(size=14, bold=True, color=OURS)
    sheet.row_dimensions[row].height = 26
    for state, meaning in words.meanings.items():
        row += 1
        background, ink = COLOURS[state]
        label, text = sheet[f"B{row}"], sheet[f"C{row}"]
        label.value, label.font, label.fill = (
            LABELS[words.language][state],
            font(bold=True, color=ink),
            fill(background),
        )
        label.alignment = Alignment(horizontal="center", vertical="center")
        text.value, text.font = meaning, font()
        text.alignment = Alignment(vertical="center", horizontal="left", indent=1)
        label.border = text.border = Border(bottom=LINE)
        sheet.row_dimensions[row].height = 20
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def build() -> dict[str, bytes]:
    """File name -> content of every template."""
    return {f"reminders.{words.language}.xlsx": packed(reminders(words), MADE) for words in (ENGLISH, SPANISH)}


def main() -> None:
    """Write the templates beside this script, or into the folder that the command line names."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, content in build().items():
        (folder / name).write_bytes(content)
        print(folder / name, len(content))


if __name__ == "__main__":
    main()
