"""What the commands are made of, without a spreadsheet program or a service."""

import os
import re
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from xlsms.addin import commands
from xlsms.addin.calc.link import Link
from xlsms.addin.commands.box import Way
from xlsms.addin.commands.desk import Desk
from xlsms.addin.commands.listening import Listener, stay_with
from xlsms.addin.commands.news import leave_word
from xlsms.addin.commands.refreshing import bring, obey, update
from xlsms.addin.commands.selection import first_selected, selected
from xlsms.addin.commands.word import word, words
from xlsms.addin.invocation import Invocation, invocation
from xlsms.addin.verb import Verb
from xlsms.client import Changes, LiveBook, Order, OrderKind
from xlsms.errors import TransientError, UserError
from xlsms.model import Role, Row
from xlsms.workbook.base import Applied, RowEdit, Sheet, Snapshot, Version
from xlsms.workbook.identity import new_row_id
from xlsms.workbook.live import LiveWorkbook

VERSION = Version(size=0, mtime_ns=0, inode=0, directory="")
FACT = re.compile(r"(?<!\{)\{(\w+)\}")


def snapshot(*rows, sheet="People"):
    return Snapshot(
        path=Path("p.xlsx"), version=VERSION, guid=None, language="en", rows=rows,
        sheets=(Sheet(name=sheet, header_row=1, columns={Role.PHONE: "A"}, headers={"A": "Phone"}),),
    )  # fmt: skip


def row(number, **more):
    return Row(sheet="People", number=number, phone=600000000 + number, **more)


def asked(**more):
    return Invocation(verb=Verb.MARK, sheet="People", **more)


def test_selected_rows_are_those_that_are_seen():
    found = selected(
        asked(rows=((2, 3), (5, 1_048_576))), snapshot(*map(row, (2, 3, 4, 5)), row(6, hidden=True), row(9)), None
    )
    assert [one.number for one in found] == [2, 3, 5, 9]


def test_a_selection_of_too_many_blocks_to_hand_over_is_asked_for():
    """As *Visible cells only* makes it of a long filtered list."""
    workbook = SimpleNamespace(selected_rows=lambda: ((9, 9), (2, 3), (4, 4)))
    found = selected(asked(selected="Range"), snapshot(*map(row, range(2, 10))), workbook)
    assert [one.number for one in found] == [2, 3, 4, 9]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (asked(), "selection-no-cells"),
        (Invocation(verb=Verb.MARK, sheet="Other", rows=((1, 9),)), "selection-elsewhere"),
        (asked(rows=((7, 7),)), "selection-no-row"),
    ],
)
def test_a_selection_that_is_none(request_, code):
    with pytest.raises(UserError) as caught:
        first_selected(request_, snapshot(row(2)), None)
    assert caught.value.code == code
    assert caught.value.message("es") != caught.value.message("en")


def test_every_text_is_there_twice_and_with_the_same_facts():
    for name, texts in words().items():
        assert texts.keys() in ({"en", "es"}, {"en", "es", "one", "uno"}), name
        assert set(FACT.findall(texts["en"])) == set(FACT.findall(texts["es"])), name
        if "one" in texts:
            assert set(FACT.findall(texts["one"])) == set(FACT.findall(texts["uno"])) < set(FACT.findall(texts["en"]))
    assert word("refreshed", "es", count=3) == "3 filas puestas al día."


def test_of_one_thing_it_speaks_as_of_one():
    assert word("ask-send", "en", go=1, parts=2) == "Send 1 message (2 SMS)?"
    assert word("ask-send", "en", go=2, parts=1) == "Send 2 messages (1 SMS)?"
    assert word("sent", "es", accepted=1) == "1 mensaje en camino."
    assert word("report", "en", book="a.xlsx", total=1) == "a.xlsx: 1 message"


def test_every_text_is_used():
    sources = "".join(path.read_text("utf-8") for path in Path(commands.__file__).parent.glob("*.py"))
    by_parts = {f"look-{name}" for name in (*Way, "row", "number", "text", "sms", "remark")}
    assert [name for name in words() if name not in by_parts and f'"{name}"' not in sources] == []


def test_there_is_a_command_for_every_verb():
    assert commands.COMMANDS.keys() == set(Verb)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("pipe%2Cname%3Dxlsms12", "pipe,name=xlsms12"),
        ("socket%2Chost%3D127.0.0.1%2Cport%3D2002", "socket,host=127.0.0.1,port=2002"),
        ("socket%2Chost%3Devil.example%2Cport%3D2002", None),
        ("pipe%2Cname%3Dx%3Burp", None),
    ],
)
def test_only_an_office_on_this_computer_is_spoken_to(text, address):
    assert invocation(["send"], {"XLSMS_OFFICE": text}).office == address


class Service:
    """Has news once."""

    def __init__(self, *answers):
        self.answers, self.closed_books, self.since = list(answers), [], []

    def changes(self, book, *, since, wait=0.0):
        self.since.append(since)
        return self.answers.pop(0) if self.answers else Changes(cursor=since, more=False, states=(), edits=())

    def closed(self, book):
        self.closed_books.append(book)


def test_times_in_an_open_workbook_are_of_the_clock_of_the_settings():
    """As in its file: what is read as nine o'clock goes at nine there, and a reply is listed once."""
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0, zone=ZoneInfo("Asia/Tokyo"))
    workbook = LiveWorkbook(SimpleNamespace(fullname="p.xlsx"))
    Desk(request=asked(), workbook=workbook, client=None, book=book, voice=None)
    assert workbook.zone == ZoneInfo("Asia/Tokyo")


def test_the_listener_leaves_word_when_there_is_news(tmp_path, monkeypatch):
    news = tmp_path / "1.news"
    (tmp_path / "1.open").write_text("%2Ftmp%2Fp.xlsx")
    edit = RowEdit(id="X", values={Role.STATUS: "Sent"})
    service = Service(
        Changes(cursor=4, more=False, states=(), edits=()), Changes(cursor=7, more=False, states=(), edits=(edit,))
    )
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0)
    names = []
    monkeypatch.setattr(
        "xlsms.addin.commands.listening.introduce", lambda client, workbook, request: names.append(request.book) or book
    )
    now = (tmp_path / "1.open").stat().st_mtime
    clock = iter([now, now + 1, now + 2, now + 3, now + 1000])
    listener = Listener(
        service, tmp_path, Invocation(verb=Verb.LISTEN), clock=lambda: next(clock), sleep=lambda _: None
    )
    assert listener.round() == 1
    assert not news.exists()
    assert listener.round() == 1
    assert news.read_text() == "7\n"
    assert listener.round() == 1
    assert (service.since, names) == ([3, 4, 7], ["/tmp/p.xlsx"])
    (tmp_path / "1.open").unlink()
    assert listener.round() == 0
    assert service.closed_books == [book]


def test_the_listener_tells_again_and_again_that_a_workbook_is_open(tmp_path, monkeypatch):
    """Else the service takes it for closed after a beat, and writes into its file."""
    mark, book, names = tmp_path / "1.open", LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0), []
    mark.write_text("%2Ftmp%2Fp.xlsx")
    monkeypatch.setattr(
        "xlsms.addin.commands.listening.introduce", lambda client, workbook, request: names.append(request.book) or book
    )
    time = [mark.stat().st_mtime]
    listener = Listener(Service(), tmp_path, Invocation(verb=Verb.LISTEN), clock=lambda: time[0], sleep=lambda _: None)
    times = []
    for _ in range(12):
        os.utime(mark, (time[0], time[0]))  # the tick shows life
        assert listener.round() == 1
        times.append(len(names))
        time[0] += 10
    assert times == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]  # each third of a beat


def test_a_mark_that_the_tick_writes_just_now_is_read_in_the_next_round(tmp_path, monkeypatch):
    (tmp_path / "1.open").write_text("%2Ftmp%2Fp.xlsx")
    now = (tmp_path / "1.open").stat().st_mtime
    real, refused = Path.read_text, [PermissionError(13, "Access is denied")]

    def read_text(self, *more):
        if self.suffix == ".open" and refused:
            raise refused.pop()
        return real(self, *more)

    monkeypatch.setattr(Path, "read_text", read_text)
    names = []
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0)
    monkeypatch.setattr(
        "xlsms.addin.commands.listening.introduce", lambda client, workbook, request: names.append(request.book) or book
    )
    service = Service(Changes(cursor=4, more=False, states=(), edits=()))
    listener = Listener(service, tmp_path, Invocation(verb=Verb.LISTEN), clock=lambda: now, sleep=lambda _: None)
    assert (listener.round(), names) == (1, [])
    assert (listener.round(), names) == (1, ["/tmp/p.xlsx"])


def listener_at(folder, time):
    """A listener that stays for one round and learns the time from a list."""
    return Listener(None, folder, Invocation(verb=Verb.LISTEN), clock=lambda: time[0], sleep=lambda seconds: None)


def test_of_two_listeners_one_stays(tmp_path):
    time = [2_000_000_000.0]
    first, second = listener_at(tmp_path, time), listener_at(tmp_path, time)
    assert first.alone()
    assert not second.alone()
    time[0] += 31
    assert first.alone()
    time[0] += 61  # the first has died
    assert second.alone()
    time[0] += 31
    assert not first.alone()


def test_what_an_excel_left_that_ended_without_a_word_is_cleared_away(tmp_path):
    time = [2_000_000_000.0]
    for name, age in (("old.open", 4000), ("old.news", 5000), ("new.open", 10), ("new.news", 9000)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time[0] - age,) * 2)
    listener = listener_at(tmp_path, time)
    listener._look = lambda *_: None
    assert listener.round() == 1
    assert {path.name for path in tmp_path.iterdir()} == {"new.open", "new.news"}


class Replies:
    """Answers as it is told to."""

    def __init__(self, *answers):
        self.answers, self.asked, self.closed_books = list(answers), [], []

    def changes(self, book, *, since, wait=0.0):
        self.asked.append(since)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def replies(self, book, *, after=0):
        return iter(())

    def closed(self, book):
        self.closed_books.append(book)


class Written:
    """An open workbook that takes everything."""

    turn = nullcontext()

    def __init__(self, *openings):
        self.edits, self.openings = [], list(openings)

    def opening(self):
        return self.openings.pop(0) if self.openings else "one"

    def apply(self, edits):
        self.edits += edits
        return Applied(before=VERSION, version=VERSION, done=tuple(edits))


def news_at(cursor, *edits, **more):
    return Changes(cursor=cursor, more=False, states=(), edits=edits, **more)


def test_calc_is_listened_to_until_the_workbook_is_closed(monkeypatch):
    edit = RowEdit(id="X", values={Role.STATUS: "Sent"})
    service = Replies(
        news_at(4), news_at(7, edit), TransientError("excel-busy"), news_at(7), UserError("workbook-not-open")
    )
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0)
    monkeypatch.setattr("xlsms.addin.commands.listening.introduce", lambda *_: book)
    monkeypatch.setattr("xlsms.addin.commands.listening.voice_of", lambda request: None)
    written, pauses = Written(), []
    stay_with(service, written, Invocation(verb=Verb.LISTEN), pause=pauses.append)
    assert service.asked == [3, 4, 7, 7, 7]
    assert (written.edits, len(pauses), service.closed_books) == ([edit], 1, [book])


def test_a_sheet_that_is_protected_for_a_while_is_listened_for_on(monkeypatch):
    """Nor does a refused call end it, or a header that is being typed anew."""
    troubles = [UserError(code) for code in ("sheet-locked", "excel-refused", "two-columns")]
    service = Replies(news_at(4), *troubles, news_at(7), UserError("workbook-not-open"))
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0)
    monkeypatch.setattr("xlsms.addin.commands.listening.introduce", lambda *_: book)
    monkeypatch.setattr("xlsms.addin.commands.listening.voice_of", lambda request: None)
    pauses = []
    stay_with(service, Written(), Invocation(verb=Verb.LISTEN), pause=pauses.append)
    assert (service.asked, len(pauses), service.closed_books) == ([3, 4, 4, 4, 4, 7], 3, [book])


def test_a_program_that_does_not_even_tell_which_workbook_it_has_is_gone(monkeypatch):
    service, written, pauses = Replies(news_at(4)), Written("one"), []
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0)
    monkeypatch.setattr("xlsms.addin.commands.listening.introduce", lambda *_: book)
    monkeypatch.setattr("xlsms.addin.commands.listening.voice_of", lambda request: None)
    opened = iter(("one",))

    def opening():
        for name in opened:
            return name
        raise UserError("excel-refused", reason="Binary URP bridge disposed during call")

    written.opening = opening
    stay_with(service, written, Invocation(verb=Verb.LISTEN), pause=pauses.append)
    assert (service.asked, pauses, service.closed_books) == ([3], [], [book])


def test_of_two_orders_of_a_page_one_that_cannot_be_does_not_stop_the_other():
    told, gone = [], []

    def go_to(sheet, row, column):
        gone.append((sheet, row, column))
        raise UserError("excel-refused", reason="no such cell")

    orders = [Order(kind=OrderKind.SHOW, sheet="People", row=row, column="B") for row in (2, 3)]
    service = Replies(news_at(4, orders=tuple(orders)))
    at = Desk(
        request=Invocation(verb=Verb.LISTEN), workbook=SimpleNamespace(go_to=go_to), client=service,
        voice=SimpleNamespace(warn=told.append), book=LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0),
    )  # fmt: skip
    assert bring(at, 3).cursor == 4
    assert gone == [("People", 2, "B"), ("People", 3, "B")]
    assert all("[excel-refused]" in text for text in told)
    assert len(told) == 2


def test_a_workbook_that_is_opened_again_gets_what_it_lacks(monkeypatch):
    service = Replies(news_at(7), news_at(8), news_at(9), UserError("workbook-not-open"))
    book = LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0)
    monkeypatch.setattr("xlsms.addin.commands.listening.introduce", lambda *_: book)
    monkeypatch.setattr("xlsms.addin.commands.listening.voice_of", lambda request: None)
    stay_with(service, Written("one", "one", "two", "two"), Invocation(verb=Verb.LISTEN))
    assert service.asked == [3, 7, 3, 9]


def test_who_had_to_wait_for_another_process_asks_again_first():
    """Else it would write an older state over a newer one."""
    first, second, other = (
        RowEdit(id=row, values={Role.STATUS: text})
        for row, text in (("X", "Sent"), ("X", "Delivered"), ("Y", "Delivered"))
    )
    service, written = Replies(news_at(5, first), news_at(9, second, other)), Written()
    written.turn = nullcontext(True)
    at = Desk(
        request=Invocation(verb=Verb.REFRESH), workbook=written, client=service, voice=None,
        book=LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0),
    )  # fmt: skip
    assert bring(at, 3).cursor == 5  # the rest comes the next time
    assert (written.edits, service.asked) == ([second], [3, 5])


def test_of_many_changes_of_a_row_the_newest_is_written():
    first, second = (RowEdit(id="X", values={Role.STATUS: text}) for text in ("Sent", "Delivered"))
    service = Replies(
        Changes(cursor=5, more=True, states=(), edits=(first,)),
        Changes(cursor=9, more=False, states=(), edits=(second,)),
    )
    written = Written()
    at = Desk(
        request=Invocation(verb=Verb.REFRESH), workbook=written, client=service, voice=None,
        book=LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0),
    )  # fmt: skip
    assert bring(at, 3).cursor == 9
    assert (written.edits, service.asked) == ([second], [3, 5])


def test_an_update_that_cannot_be_now_is_asked_for_again(tmp_path, monkeypatch):
    file = tmp_path / "1.news"

    @contextmanager
    def busy(request):
        raise TransientError("excel-busy")
        yield

    monkeypatch.setattr("xlsms.addin.commands.refreshing.desk", busy)
    with pytest.raises(TransientError):
        update(Invocation(verb=Verb.UPDATE, news=file))
    assert file.read_text().startswith("again-")


@pytest.mark.parametrize(
    ("code", "again"),
    [("sheet-locked", True), ("two-columns", True), ("excel-refused", True), ("workbook-not-open", False)],
)
def test_an_update_that_the_sheet_refuses_is_asked_for_again(tmp_path, monkeypatch, code, again):
    """As while it is protected; nobody would come back to the news until there are others."""
    file, service = tmp_path / "1.news", Replies(UserError(code))
    at = Desk(
        request=Invocation(verb=Verb.UPDATE), workbook=Written(), client=service, voice=None,
        book=LiveBook(id=1, guid="g", path=None, cursor=3, beat=90.0),
    )  # fmt: skip
    monkeypatch.setattr("xlsms.addin.commands.refreshing.desk", lambda request: nullcontext(at))
    with pytest.raises(UserError) as caught:
        update(Invocation(verb=Verb.UPDATE, news=file))
    assert caught.value.code == code
    assert file.exists() is again


@pytest.mark.parametrize("times", [1, 3, 99])
def test_a_file_that_excel_reads_just_now_is_waited_for(tmp_path, monkeypatch, times):
    news, real, refused, waits = tmp_path / "1.news", Path.replace, [], []

    def replace(self, target):
        if len(refused) < times:
            refused.append(target)
            raise PermissionError(13, "Access is denied")  # as Windows says of a file that somebody reads
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    if times > 4:
        with pytest.raises(TransientError) as caught:
            leave_word(news, "17", waits.append)
        assert caught.value.code == "excel-busy"
        assert list(tmp_path.iterdir()) == []
    else:
        leave_word(news, "17", waits.append)
        assert [path.name for path in tmp_path.iterdir()] == ["1.news"]
        assert news.read_text() == "17\n"
    assert len(waits) == min(times, 4)


def test_a_document_that_is_closed_in_the_same_instant_is_passed_over():
    class Going:
        def supportsService(self, name):  # noqa: N802 - as LibreOffice has it
            raise RuntimeError("disposed")

    class Half:
        def supportsService(self, name):  # noqa: N802 - same
            return True

        @property
        def URL(self):  # noqa: N802 - same
            raise AttributeError("URL")

    there = SimpleNamespace(supportsService=lambda name: True, URL="file:///p.ods")
    other = SimpleNamespace(supportsService=lambda name: False, URL="file:///p.odt")
    left = [Going(), there, Half(), other]
    components = SimpleNamespace(hasMoreElements=lambda: bool(left), nextElement=lambda: left.pop(0))
    link = object.__new__(Link)
    link.desktop = SimpleNamespace(Components=SimpleNamespace(createEnumeration=lambda: components))
    assert list(link.documents()) == [there]


def test_without_a_frame_in_front_a_box_hangs_on_an_open_spreadsheet():
    """A desktop without a window manager, a window in front that has just been closed."""
    link, front = object.__new__(Link), SimpleNamespace()
    hidden = SimpleNamespace(CurrentController=None)
    shown = SimpleNamespace(CurrentController=SimpleNamespace(Frame=front))
    link.documents = lambda: iter((hidden, shown))
    link.desktop = SimpleNamespace(CurrentFrame=None)
    assert link.frame() is front
    link.documents = lambda: iter((hidden,))
    assert link.frame() is None
    link.desktop.CurrentFrame = front
    assert link.frame() is front


def test_ids_that_nobody_confirmed_are_told_where_they_stand_in_the_sheet():
    """They were given out just before something broke: their messages wait for this."""
    stands, gone = new_row_id(Random(1)), new_row_id(Random(2))
    seen = []
    service = SimpleNamespace(
        changes=lambda book, *, since, wait=0.0: Changes(
            cursor=since, more=False, states=(), edits=(), unconfirmed=(stands, gone)
        ),
        replies=lambda book, *, after: (),
        seen=lambda book, ids: seen.append((book, list(ids))),
    )
    there = snapshot(row(2, id=new_row_id(Random(3))), row(3, id=stands), row(4))
    bring(SimpleNamespace(client=service, book="book", workbook=SimpleNamespace(read=lambda: there)), 0)
    assert seen == [("book", [stands])]


@pytest.mark.parametrize(("row_id", "gone_to"), [(new_row_id(Random(1)), 7), (new_row_id(Random(2)), 2), (None, 2)])
def test_a_page_leads_to_where_its_row_is_now(row_id, gone_to):
    """It was sorted since; a row without an id, or that has gone, is where it was."""
    places = []
    workbook = SimpleNamespace(
        read=lambda: snapshot(row(6), row(7, id=new_row_id(Random(1)))), go_to=lambda *place: places.append(place)
    )
    order = Order(kind=OrderKind.SHOW, sheet="People", row=2, column="C", row_id=row_id)
    obey(SimpleNamespace(workbook=workbook), order)
    assert places == [("People", gone_to, "C")]
