"""The templates: built files match their script, and a new workbook is one that xlsms itself can read."""

import importlib.util
import io
import re
import zipfile
from datetime import date, time
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import openpyxl
import pytest

from xlsms import templates
from xlsms.errors import UserError
from xlsms.states import LABELS
from xlsms.workbook.base import RESULTS
from xlsms.workbook.identity import GUID_PROPERTY

SOURCE = Path(__file__).parents[3] / "workbook_templates"


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("build_templates", SOURCE / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parts(content):
    """Part name -> its XML, whatever wrote and packed it."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: canonicalize(package.read(name).decode()) for name in package.namelist()}


def test_the_built_files_are_what_the_script_builds(builder):
    built = builder.build()
    assert set(built) == {file.name for file in SOURCE.glob("*.xlsx")}
    for name, content in built.items():
        assert parts(content) == parts((SOURCE / name).read_bytes()), f"run python workbook_templates/build.py ({name})"


def test_a_build_does_not_depend_on_when_it_is_made(builder):
    assert builder.build() == builder.build()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_header_row_holds_every_column_that_xlsms_writes(builder, language):
    book = openpyxl.load_workbook(SOURCE / f"reminders.{language}.xlsx")
    sheet = book.worksheets[0]
    headers = [cell.value for cell in sheet[builder.HEADER_ROW] if cell.value]
    words = {"en": builder.ENGLISH, "es": builder.SPANISH}[language]
    assert sheet.auto_filter.ref == f"A{builder.HEADER_ROW}:L{builder.HEADER_ROW + len(words.people)}"
    assert {str(role) if str(role) != "message id" else "id" for role in RESULTS} <= set(words.headers)
    assert headers == [words.headers[column.key] for column in builder.COLUMNS]
    assert sheet.column_dimensions[builder.lettered()["id"]].hidden


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_state_has_its_colour_in_both_languages(builder, language):
    sheet = openpyxl.load_workbook(SOURCE / f"reminders.{language}.xlsx").worksheets[0]
    formulas = " ".join(rule.formula[0] for held in sheet.conditional_formatting for rule in held.rules)
    for labels in LABELS.values():
        for label in labels.values():
            assert f'="{label}"' in formulas


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_height_is_fixed_so_that_rows_grow_with_what_is_written_into_them(builder, language):
    row = ("Ana", "600 000 001", None, None, "A long text. " * 40, "x")
    for rows in (None, [row] * 3):
        content = templates.new("reminders", language, rows)
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            xml = package.read("xl/worksheets/sheet1.xml").decode()
        assert "customHeight" not in re.search("<sheetFormatPr[^>]*>", xml)[0]
        tags = {int(found[1]): found[0] for found in re.finditer(r'<row r="(\d+)"[^>]*>', xml)}
        below = [tag for number, tag in tags.items() if number > builder.HEADER_ROW]
        assert not any("customHeight" in tag for tag in below)
        assert any("customHeight" in tag for tag in tags.values()), "the head stays as it is"
        high = [float(found[1]) for tag in below if (found := re.search(r'ht="([\d.]+)"', tag))]
        assert [each > 8 * 13 for each in high] == [True] * (len(rows) if rows else 0)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_samples_are_not_marked(builder, language):
    sheet = openpyxl.load_workbook(SOURCE / f"reminders.{language}.xlsx").worksheets[0]
    send = builder.lettered()["send"]
    assert [sheet[f"{send}{row}"].value for row in range(builder.HEADER_ROW + 1, 20)] == [None] * 15


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_message_names_only_columns_that_exist(builder, language):
    words = {"en": builder.ENGLISH, "es": builder.SPANISH}[language]
    assert set(re.findall(r"\{([^}:]+)", words.message)) <= set(words.headers.values())


def test_each_new_workbook_has_a_guid_of_its_own():
    guids = set()
    for _ in range(2):
        book = openpyxl.load_workbook(io.BytesIO(templates.new("reminders", "es")))
        guids.add(book.custom_doc_props[GUID_PROPERTY].value)
    assert len(guids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", guid) for guid in guids)


def test_rows_take_the_place_and_the_look_of_the_samples(builder):
    rows = [("Ana", "600 000 001", date(2026, 3, 1), time(9, 30), "Hola", "x"), ("Eva", 6e8, None, None, "Adiós")]
    for count in (0, 1, 2, 40):
        content = templates.new("reminders", "es", (rows * 20)[:count])
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        first, last = builder.HEADER_ROW + 1, builder.HEADER_ROW + max(count, 1)
        assert sheet.auto_filter.ref == f"A{builder.HEADER_ROW}:L{last}"
        names = [sheet.cell(row, 1).value for row in range(first, first + 45)]
        assert names == [row[0] for row in (rows * 20)[:count]] + [None] * (45 - count)
        if count:
            assert sheet.cell(last, 3).number_format == "dd/mm/yyyy"
            assert sheet.cell(last, 9).number_format == "dd/mm/yyyy hh:mm"
            assert sheet.cell(last, 2).number_format == "@"
            assert sheet.cell(last, 5).alignment.wrap_text


@pytest.mark.parametrize(
    ("name", "language", "code"),
    [
        ("surveys", "en", "template-unknown"),
        ("../reminders", "en", "template-unknown"),
        ("reminders", "fr", "template-language"),
    ],
)
def test_a_template_that_does_not_exist_is_refused(name, language, code):
    with pytest.raises(UserError) as caught:
        templates.new(name, language)
    assert caught.value.code == code
    assert (language if code == "template-language" else name) in caught.value.message()


def test_the_installed_folder_goes_before_the_sources(monkeypatch, tmp_path):
    assert templates.folder() == SOURCE
    (tmp_path / "_templates").mkdir()
    monkeypatch.setattr(templates, "__file__", str(tmp_path / "templates.py"))
    assert templates.folder() == tmp_path / "_templates"
