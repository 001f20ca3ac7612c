"""Text files: only the fields that are ours change, and nothing that comes from outside can begin a formula."""

import csv
import io
import os
import shutil
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xlsms.errors import TransientError, UserError
from xlsms.files.backup import Backups
from xlsms.model import Role
from xlsms.workbook import open_workbook, read_rows
from xlsms.workbook.base import RESULTS, Placed, RowEdit
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.delimited import DELIMITERS, Delimited, decoded, is_western
from xlsms.workbook.identity import check, new_row_id
from xlsms.workbook.inert import bared, inert

RESULT_HEADERS = "Status,Detail,Status time,Reply,Reply time,SMS ID"


def save(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return CsvWorkbook(path)


def put(book, **values):
    """Write into the first row."""
    row = book.read().rows[0]
    cells = {Role[name.upper()]: value for name, value in values.items()}
    return book.apply([RowEdit(values=cells, placed=Placed.of(row))])


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("cp1252", b""), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b"")],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_encoding_mark_and_line_ends_stay(tmp_path, encoding, mark, end):
    path = tmp_path / "lista.csv"
    lines = [f"Teléfono;Nombre;{RESULT_HEADERS.replace(',', ';')}", "600;José;;;;;;", "601;Ñ;;;;;;"]
    path.write_bytes(mark + end.join(lines).encode(encoding))
    book = CsvWorkbook(path)
    put(book, reply="¡Sí, mañana!")
    lines[1] = "600;José;;;;¡Sí, mañana!;;"
    assert path.read_bytes() == mark + end.join(lines).encode(encoding)
    assert book.read().rows[0].fields["Reply"] == "¡Sí, mañana!"


def test_quotes_and_blanks_of_other_fields_stay_as_written(tmp_path):
    before = f'Phone,Name,{RESULT_HEADERS}\n"600", Ana "la""x" ,"a",b,,5" pipe,,\n\n601,\'x\',"two\nlines",,,,,\n'
    book = save(tmp_path / "a.csv", before)
    put(book, detail='he said "no", twice', status="Sent")
    expected = before.replace('"a",b', '"Sent","he said ""no"", twice"')
    assert book.path.read_text() == expected


def test_blanks_around_a_text_are_kept_by_quotes(tmp_path):
    book = save(tmp_path / "a.csv", f"Phone,{RESULT_HEADERS}\n600,,,,,,\n")
    put(book, reply=" yes ")
    assert book.path.read_text().splitlines()[1] == '600,,,," yes ",,'
    assert book.read().rows[0].fields["Reply"] == " yes "


def test_a_file_in_which_all_is_quoted_stays_so(tmp_path):
    book = save(tmp_path / "a.csv", '"Phone","Name"\r\n"600","Ana"\r\n"601",""\r\n')
    put(book, status="Queued")
    head, first, second, end = book.path.read_bytes().decode().split("\r\n")
    assert head == '"Phone","Name","Status","Detail","Status time","Reply","Reply time","SMS ID"'
    assert first == '"600","Ana","Queued",,,,,'
    assert (second, end) == ('"601","",,,,,,', "")


def test_a_rectangle_stays_one_and_a_ragged_file_stays_ragged(tmp_path):
    even = save(tmp_path / "even.csv", "Title,\nPhone,Name\n600,Ana\n601,Eva")
    put(even, status="Queued")
    assert {len(row) for row in csv.reader(io.StringIO(even.path.read_text()))} == {8}
    assert not even.path.read_text().endswith("\n")
    ragged = save(tmp_path / "ragged.csv", "Title\nPhone,Name\n600,Ana\n601\n")
    put(ragged, status="Queued")
    assert ragged.path.read_text().splitlines()[::3] == ["Title", "601"]


def test_the_line_that_names_the_separator_is_kept_and_believed(tmp_path):
    book = save(tmp_path / "a.csv", "sep=|\r\nPhone|Message, or so\r\n600|a;b\r\n")
    assert list(book.read().sheets[0].headers.values()) == ["Phone", "Message, or so"]
    put(book, status="Sent")
    assert book.path.read_bytes().startswith(b"sep=|\r\nPhone|Message, or so|Status|")


def test_numbers_keep_their_zeros_and_texts_their_look(tmp_path):
    book = save(tmp_path / "a.csv", "Phone,Amount,Town\n0034600111222,1.50,  Vigo \n")
    row = book.read().rows[0]
    assert (row.phone, row.fields["Amount"], row.values["Town"]) == ("0034600111222", "1.50", "  Vigo ")


def test_two_equal_headers_leave_their_field_unknown(tmp_path):
    (row,) = save(tmp_path / "a.csv", "Phone,Town,Town\n1,one,two\n").read().rows
    assert "Town" not in row.fields
    assert row.problems == {"Town": "columns-same-name"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "sheet-empty"),
        (b"\xef\xbb\xbf\r\n", "sheet-empty"),
        (b"Name,Message\nAna,x\n", "no-phone-column"),
        (b"Phone,Mobile\n1,2\n", "two-columns"),
        (b'Phone,Name\n600,"Ana\n601,Eva\n', "text-quote-open"),
        (b"Phone,Name\n600,\x81\x8d\n", "text-encoding-unknown"),
        (b"\xff\xfeP\x00\x00\xd8", "text-encoding-unknown"),
        (b"Phone,Name\n600,A\x00\x01\n", "not-a-workbook"),
        (bytes(range(256)), "not-a-workbook"),
    ],
)
def test_texts_that_cannot_be_used(tmp_path, content, code):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    for use in (CsvWorkbook(path).read, CsvWorkbook(path).check, lambda: CsvWorkbook(path).apply([])):
        with pytest.raises(UserError) as caught:
            use()
        assert (caught.value.code, caught.value.place.file) == (code, "a.csv")
        assert "…" not in caught.value.line()
    assert path.read_bytes() == content


def test_a_locked_a_linked_and_a_read_only_file_are_not_written(tmp_path):
    book = save(tmp_path / "a.csv", "Phone\n600\n")
    (tmp_path / ".~lock.a.csv#").write_text("Ana,ana,host,,;")
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        put(book, status="Sent")
    (tmp_path / ".~lock.a.csv#").unlink()
    os.link(book.path, tmp_path / "b.csv")
    with pytest.raises(UserError, match="file-linked"):
        book.check_ready()
    assert book.path.read_text() == "Phone\n600\n"


STEPS = ["opened", "read", "created", "written", "finished", "verified", "named", "compared", "exchanged"]


@pytest.mark.parametrize("step", STEPS)
def test_a_save_by_the_user_always_wins_and_gets_the_states(tmp_path, step):
    book = save(tmp_path / "a.csv", "Phone,Name\n600,Ana\n601,Eva\n")
    identity = new_row_id()
    put(book, id=identity)
    saved = []

    def act(done):
        if done == step and not saved:
            text = book.path.read_text().replace("Ana", "Ana María")
            saved.append(text)
            (tmp_path / "saving").write_text(text)
            shutil.move(tmp_path / "saving", book.path)

    CsvWorkbook(book.path, step=act).apply([RowEdit(id=identity, values={Role.STATUS: "Sent"})])
    assert saved
    rows = book.read().rows
    assert [(row.fields["Name"], row.status) for row in rows] == [("Ana María", "Sent"), ("Eva", "")]
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_a_letter_that_the_encoding_lacks_becomes_a_question_mark_and_is_written_once(tmp_path):
    book = save(tmp_path / "a.csv", f"Teléfono,{RESULT_HEADERS}\n600,,,,,,\n", "cp1252")
    put(book, reply="vale 👍")
    version = book.read().version
    assert "vale ?" in book.path.read_bytes().decode("cp1252")
    assert put(book, reply="vale 👍").version == version


FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1+1", '"=1+1', "＝1+1", "hello;=1+1", "a, -1", "a|@x", "a\n=1", 'x;"=1',
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_nothing_from_outside_begins_a_formula_whatever_the_separator_of_the_reader(tmp_path, text, delimiter):
    headers = ["Phone", *RESULT_HEADERS.split(",")]
    book = save(tmp_path / "a.csv", delimiter.join(headers) + "\n600" + delimiter * 6 + "\n")
    put(book, reply=text, detail=text)
    for other in DELIMITERS:
        for row in csv.reader(io.StringIO(book.path.read_text()), delimiter=other):
            assert not any(field.lstrip(' "\t').startswith(("=", "+", "-", "@", "＝")) for field in row)
    assert book.read().rows[0].fields["Reply"] == text


def test_harmless_text_is_written_as_it_is():
    for text in ("a=b", "5-3", "me@example.org", "it's", "yes, of course", "10:30 - 11:00"):
        assert inert(text) == bared(text) == text


@given(st.text())
def test_what_is_made_inert_holds_no_beginning_of_a_formula(text):
    assert inert(inert(text)) == inert(text)
    for line in io.StringIO(inert(text), newline=None):
        assert not line.lstrip(' "\t').startswith(("=", "+", "-", "@"))


# Tables with every dialect that we know of: what the csv module reads afterwards is what stood there, with our changes.

LETTERS = st.characters(codec="cp1252", exclude_characters="\0\x81\x8d\x8f\x90\x9d")
FIELDS = st.text(LETTERS, max_size=8)
TABLES = st.lists(st.lists(FIELDS, min_size=2, max_size=2), min_size=1, max_size=6)


@given(
    rows=TABLES,
    delimiter=st.sampled_from(DELIMITERS),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    last=st.booleans(),
    data=st.data(),
)
def test_a_change_of_some_fields_changes_no_other(rows, delimiter, end, quoting, encoding, last, data):
    out = io.StringIO()
    table = [["Ünique", "Höhe"], *rows]
    if any(letter in field for row in rows for field in row for letter in "\r\n"):
        quoting = csv.QUOTE_ALL  # the module would not quote a line end that is not its own
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)
    text = out.getvalue() if last else out.getvalue().removesuffix(end)
    content = text.encode(encoding)
    assume(encoding != "cp1252" or is_western(text))
    read, known = decoded(content)
    page = Delimited(read, known, delimiter)
    assert page.content() == content
    assert [row.values for row in page.rows] == table
    for row, column, value in data.draw(
        st.lists(st.tuples(st.integers(1, len(table)), st.integers(1, 4), FIELDS), max_size=4)
    ):
        page.put(row, column, value)
        table[row - 1] += [""] * (column - len(table[row - 1]))
        table[row - 1][column - 1] = value
    changed = page.content()
    assume(encoding != "cp1252" or is_western(changed.decode(encoding)))
    again, after = decoded(changed)
    assert (after.codec, after.mark) == (known.codec, known.mark) or again.isascii()
    assert [row.values for row in Delimited(again, after, delimiter).rows] == table
    assert list(csv.reader(io.StringIO(again, newline=""), delimiter=delimiter)) == table


@given(st.binary(max_size=200) | st.text('Phone,;"\n\r\t12=', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(content)
    try:
        book = CsvWorkbook(path)
        snapshot = book.read()
        edits = [
            RowEdit(values={Role.STATUS: "=x", Role.ID: new_row_id()}, placed=Placed.of(row)) for row in snapshot.rows
        ]
        if not edits:
            return
        book.apply(edits)
    except UserError:
        assert path.read_bytes() == content
    else:
        assert [check(row.id or "") is not None for row in book.read().rows] == [True] * len(edits)
        assert book.read().sheets[0].missing == () == tuple(set(RESULTS) - set(book.read().sheets[0].columns))


def test_a_text_that_begins_with_the_letters_of_a_zip_is_a_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"PK,Phone,Status\n1,600000001,\n")
    assert [row.fields["PK"] for row in read_rows(path)] == ["1"]


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("cp1251", "Привет Александра Мария"),
        ("cp1253", "Γιώργος Δημήτρης Κατερίνα"),
        ("cp1255", "שלומית אברהם מרים"),
        ("gbk", "中文,你好"),
        ("big5", "王小明,您好"),
        ("euc-kr", "김철수,안녕하세요"),
        ("cp1250", "Małgorzata Żółkiewska,cześć"),
        ("mac-roman", "José René"),
    ],
)
def test_a_text_in_letters_of_another_code_page_is_not_taken_for_western(tmp_path, codec, names):
    path = tmp_path / "a.csv"
    path.write_bytes(f"Name,Phone\r\n{names},600000001\r\n".encode(codec))
    with pytest.raises(UserError, match="text-encoding-unknown"):
        list(read_rows(path))
    western = "Noël Øyvind Ærøskøbing créée hääyöaie «œuvre» áéíóúñ ÁÉÍÓÚ 1½… ——"
    path.write_bytes(f"Name,Phone\r\n{western},600000001\r\n".encode("cp1252"))
    assert len(list(read_rows(path))) == 1


@pytest.mark.parametrize(
    "words",
    [
        "José",
        "m² 3º 1ª Nº5 ½ 20€ £5 §3 5±2",
        "hola¿qué,José",
        "MÜLLER Özgür Åse",
        "OÑA café",
        "d’Été naïve—oui",
        "¿Él? ¡Óscar!",
    ],
)
def test_western_words_are_western(words):
    assert decoded(words.encode("cp1252"))[0] == words


def test_a_computer_with_another_code_page_reads_its_own_texts():
    text, known = decoded("Michał,Zażółć".encode("cp1250"), "cp1250")
    assert (text, known.codec) == ("Michał,Zażółć", "cp1250")
    text, known = decoded("中文,你好".encode("gbk"), "cp936")
    assert (text, known.fitting("你好 Ω é 😀")) == ("中文,你好", "你好 Ω é ?")
    with pytest.raises(UserError, match="text-encoding-unknown"):
        decoded(b"Jos\xe9,\xff\xff", "cp936")


@pytest.mark.parametrize("more", ["\n" * 1_048_576, "1" + "," * (1 << 20), '"' + "a" * (1 << 20) + '"'])
def test_a_text_with_more_rows_than_a_sheet_or_an_endless_row_is_refused(tmp_path, more):
    path = tmp_path / "a.csv"
    path.write_text("Phone\n600000001\n" + more)
    with pytest.raises(UserError, match="file-too-large"):
        list(read_rows(path))


def test_what_its_user_saved_is_kept_before_it_is_written_over(tmp_path):
    backups = Backups(folder=tmp_path / "backups", keep=2)
    path = tmp_path / "a.csv"
    for day, name in enumerate(("Ana", "Bea", "Eva"), 1):
        path.write_text(f"Name,Phone,Status\n{name},600000001,\n")
        os.utime(path, (day * 86_400,) * 2)
        for status in ("Sent", "Delivered"):
            book = open_workbook(path, backups=backups)
            book.apply([RowEdit(values={Role.STATUS: status}, placed=Placed.of(book.read().rows[0]))])
    kept = {file.read_text() for file in backups.kept(path)}
    assert kept == {f"Name,Phone,Status\n{name},600000001,\n" for name in ("Bea", "Eva")}
    assert "Delivered" in path.read_text()


def test_a_file_opened_by_somebody_in_the_last_moment_is_never_exchanged(tmp_path):
    path = tmp_path / "a.csv"
    save(path, f"Phone,{RESULT_HEADERS}\n600,,,,,,\n")
    before, steps = path.read_bytes(), []

    def act(step):
        steps.append(step)
        if step == "finished":
            (tmp_path / ".~lock.a.csv#").write_text("Ana,ana,host,,;")

    with pytest.raises(TransientError) as caught:
        put(CsvWorkbook(path, step=act), status="Sent")
    assert (caught.value.code, caught.value.facts["owner"]) == ("file-open-elsewhere", "Ana")
    assert "exchanged" not in steps
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="modes of Unix")
def test_the_mode_of_the_file_stays(tmp_path):
    book = save(tmp_path / "a.csv", f"Phone,{RESULT_HEADERS}\n600,,,,,,\n")
    book.path.chmod(0o640)
    put(book, status="Sent")
    assert book.path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"601,Eva,,,,,,\r\n", b""),
        (b"601,Eva", b"601,Ana"),
        (b"Sent", b"Send"),
        (b"601,Eva,,,,,,\r\n", b"601,Eva,,,,,,\n"),
        (b"\xef\xbb\xbf", b""),
        (b"601,Eva,,,,,,\r\n", b"601,Eva,,,,,,\r\n602,Ida,,,,,,\r\n"),
    ],
    ids=["a row less", "another field", "another state", "another line end", "no mark", "a row more"],
)
def test_a_defect_of_ours_is_seen_before_the_file_is_replaced(tmp_path, monkeypatch, right, wrong):
    path = tmp_path / "a.csv"
    text = f"Phone,Name,{RESULT_HEADERS}\r\n600,Ana,,,,,,\r\n601,Eva,,,,,,\r\n"
    book = save(path, text, "utf-8-sig")
    before, content = path.read_bytes(), Delimited.content

    def defective(self):
        made = content(self)
        assert made.count(right) == 1
        return made.replace(right, wrong)

    monkeypatch.setattr(Delimited, "content", defective)
    with pytest.raises(UserError, match="sheet-not-writable"):
        put(book, status="Sent")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_of_two_values_for_a_field_the_later_one_counts(tmp_path):
    book = save(tmp_path / "a.csv", f"Phone,{RESULT_HEADERS}\n600,,,,,,\n")
    placed = Placed.of(book.read().rows[0])
    edits = [RowEdit(values={Role.STATUS: status}, placed=placed) for status in ("Sent", None)]
    assert book.apply(edits).done == tuple(edits)
    assert book.read().rows[0].status == ""


def test_a_text_that_is_too_large_to_be_held_is_refused(tmp_path, monkeypatch):
    book = save(tmp_path / "a.csv", f"Phone,{RESULT_HEADERS}\n600,,,,,,\n")
    monkeypatch.setattr("xlsms.workbook.csvbook._MOST", book.path.stat().st_size)
    assert len(book.read().rows) == 1
    monkeypatch.setattr("xlsms.workbook.csvbook._MOST", book.path.stat().st_size - 1)
    with pytest.raises(UserError, match="file-too-large"):
        book.read()
