"""The API's contract, over its client and a real server on loopback."""

import contextlib
import importlib.util
import json
import re
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from tests.unit.api.conftest import GUID, applied, running, snapshot
from xlsms.client import Client, OrderKind
from xlsms.client.starting import Found, find
from xlsms.errors import TransientError, UserError
from xlsms.model import Role
from xlsms.states import FINAL, LABELS, State
from xlsms.workbook import read_rows
from xlsms_service.config import Route

DOCS = Path(__file__).parents[3] / "docs"


def final(count):
    return lambda states: len(states) == count and all(state.state in FINAL for state in states.values())


def test_an_open_workbook_is_sent_and_its_states_and_replies_come(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001", "600000002", "6000", "600000035"))
    assert (plan.totals.rows, plan.totals.go, plan.totals.problems) == (4, 3, 1)
    assert plan.rows[0].text == "Hola P2"
    assert plan.rows[0].repairs == ("añadido el prefijo de país +34",)
    assert plan.rows[2].problem.code == "number-too-short"
    assert plan.rows[2].problem.place.column == "B"
    campaign = office.client.send(plan)
    ids = [edit.values[Role.ID] for edit in campaign.edits if Role.ID in edit.values]
    assert len(ids) == 3
    assert office.client.states(ids) == {}  # nothing goes before its id stands in the sheet
    told = office.client.written(campaign, applied(campaign))
    assert (told.accepted, told.held, told.withdrawn) == (3, 0, 0)
    states = office.changes(book, book.cursor, lambda it: final(3)(it) and any(state.reply for state in it.values()))
    assert set(states) == set(ids)
    found = office.client.changes(book, since=book.cursor)
    edits = {edit.id: edit.values for edit in found.edits}
    assert {values[Role.STATUS] for values in edits.values()} <= {"Entregado", "Fallido", "Caducado"}
    assert all(isinstance(values[Role.STATUS_TIME], datetime) for values in edits.values())
    assert set(office.client.states([*ids, "none"])) == set(ids)


def test_an_open_workbook_is_told_whose_clock_its_times_are(tmp_path, office):
    assert office.book().zone is None
    with running(tmp_path / "far", zone="Asia/Tokyo") as far:
        assert far.book().zone == ZoneInfo("Asia/Tokyo")


def test_everything_that_is_repeated_is_done_once(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001"))
    first = office.client.send(plan)
    assert office.client.send(plan.id, plan.hash) == first
    assert office.client.written(first, applied(first)) == office.client.written(first, applied(first))
    one = office.client.text("600000002", "hola", key="0" * 16)
    again = office.client.text("600000002", "hola", key="0" * 16)
    assert (one.message, one.number) == (again.message, again.number)
    other = office.client.text("600000002", "hola", key="1" * 16)
    assert other.message != one.message
    office.changes(book, book.cursor, final(1))
    assert [said.text for said in office.client.conversation("600 000 001").texts if said.mine] == ["Hola P2"]


def test_rows_that_were_not_written_do_not_go(office):
    book = office.book()
    campaign = office.client.send(office.client.plan(book, snapshot("600000001", "600000002")))
    told = office.client.written(campaign, applied(campaign, done=campaign.edits[:1]))
    assert (told.accepted, told.withdrawn) == (1, 1)
    states = office.changes(book, book.cursor, final(1))
    assert set(states) == {campaign.edits[0].values[Role.ID]}


def test_only_what_was_approved_is_sent(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001"))
    with pytest.raises(UserError, match="plan-changed"):
        office.client.send(plan.id, "0" * 64)
    with pytest.raises(UserError, match="plan-unknown"):
        office.client.send("nothing", plan.hash)


def test_a_second_preview_of_the_same_rows_sends_nothing_once_the_first_has(office):
    book = office.book()
    first, second, third = (office.client.plan(book, snapshot("600000001", "600000002")) for _ in range(3))
    assert len({plan.id for plan in (first, second, third)}) == 3
    assert (first.hash, first.totals) == (third.hash, third.totals)
    campaign = office.client.send(first)
    resumed = office.client.send(second)  # as long as their ids stand in no sheet: the same messages again
    assert [edit.values[Role.ID] for edit in resumed.edits] == [edit.values[Role.ID] for edit in campaign.edits]
    office.client.written(campaign, applied(campaign))
    office.changes(book, book.cursor, final(2))
    with pytest.raises(UserError, match="plan-changed"):
        office.client.send(third)
    opened = open_page(office, office.client.preview_page(third)).json()
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        assert page.post("/page/plan").json()["stage"] == "changed"
        assert page.post("/page/approve", json={"hash": third.hash}).json()["code"] == "plan-changed"
    for number in ("600000001", "600000002"):
        assert len([said for said in office.client.conversation(number).texts if said.mine]) == 1


def test_what_was_sent_before_and_goes_once_more_is_told(office):
    book, asked = office.book(), snapshot("600000001", "600000002")
    campaign = office.client.send(office.client.plan(book, asked))
    office.client.written(campaign, applied(campaign))
    states = office.changes(book, book.cursor, lambda it: len(it) == 2 and {one.state for one in it.values()} <= FINAL)
    ids = [edit.values[Role.ID] for edit in campaign.edits]
    assert states[ids[0]].state is State.DELIVERED
    rows = [row._replace(id=row_id, status="Entregado") for row, row_id in zip(asked.rows, ids, strict=True)]
    rows[1] = rows[1]._replace(message="Otra cosa, {Nombre}")
    plan = office.client.plan(book, replace(asked, rows=tuple(rows)))
    assert (plan.totals.go, plan.totals.again, plan.totals.earlier) == (2, 1, 0)
    assert [row.again for row in plan.rows] == [State.DELIVERED, None]


def test_a_plan_of_a_workbook_that_nobody_registered_is_refused(office):
    book = office.book()
    stranger = type(book)(id=book.id + 1, guid=GUID, path=None, cursor=0, beat=30)
    with pytest.raises(UserError, match="workbook-not-registered"):
        office.client.plan(stranger, snapshot("600000001"))


def test_stop_pause_and_recall(office):
    book = office.book()
    since = office.client.stop()
    assert office.client.stop() == since
    assert office.client.health().stopped == since
    campaign = office.client.send(office.client.plan(book, snapshot("600000001", "600000002")))
    office.client.written(campaign, applied(campaign))
    assert office.client.pause(book).count == 2
    ids = [edit.values[Role.ID] for edit in campaign.edits]
    assert {it.code for it in office.client.states(ids).values()} == {"paused"}
    assert office.client.unpause(book).count == 2
    assert office.client.recall(book, ids[:1]).count == 1
    assert office.client.resume() is True
    assert office.client.resume() is False
    states = office.changes(book, book.cursor, final(2))
    assert states[ids[0]].state is State.CANCELLED
    assert states[ids[0]].detail == "Se retiró antes de salir [recalled]"
    assert office.client.recall().count == 0


def test_a_ledger_that_another_program_holds_is_told_as_that(tmp_path, monkeypatch):
    monkeypatch.setattr("xlsms_service.ledger.ledger._BUSY_SECONDS", 0.2)
    with running(tmp_path) as office, contextlib.closing(sqlite3.connect(office.data / "ledger.sqlite3")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError) as held:
            office.client.stop()
        other.execute("ROLLBACK")
        assert held.value.code == "ledger-busy"
        assert office.client.stop() is not None


def test_texts_and_what_came_back(office):
    office.client.text("600000001", "¿Viene?")
    deadline = time.monotonic() + 60
    while not (inbox := office.client.inbox()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert inbox[0].number == "+34600000001"
    answer = office.client.reply("+34600000001", "Gracias")
    assert answer.parts == 1
    said = office.client.conversation("0034600000001")
    assert said.number == "+34600000001"
    assert (said.texts[0].mine, said.texts[0].text) == (True, "¿Viene?")
    assert [it.mine for it in said.texts[:2]] == [True, False]


def test_a_key_that_was_used_for_another_text_is_refused(office):
    first = {"number": "600000001", "text": "uno", "key": "same-key-0001"}
    page = open_page(office, office.client.conversation_page("600000001")).json()["key"]
    with office.authorized() as http, office.http(Authorization=f"Bearer {page}") as reply:
        message = http.post("/v1/messages", json=first).json()
        for other in ({"text": "dos"}, {"number": "600000002"}):
            refused = http.post("/v1/messages", json=first | other)
            assert (refused.status_code, refused.json()["code"]) == (409, "key-used")
            assert refused.headers["content-type"] == "application/problem+json"
        # Spelled otherwise, it is the same number.
        again = http.post("/v1/messages", json=first | {"number": "+34 600 000 001"}).json()
        assert (again["message"], again["number"], again["text"]) == (message["message"], "+34600000001", "uno")
        assert reply.post("/page/reply", json={"text": "uno", "key": first["key"]}).status_code == 204
        refused = reply.post("/page/reply", json={"text": "dos", "key": first["key"]})
        assert (refused.status_code, refused.json()["code"]) == (409, "key-used")
    said = [it.text for it in office.client.conversation("600000001").texts if it.mine]
    assert said == ["uno"]
    assert office.client.conversation("600000002").texts == ()


def test_the_stream_goes_on_from_the_cursor(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001", "600000002"))
    campaign = office.client.send(plan)
    seen, cursors = {}, []

    def over():
        return len(seen) == 2 and all(it.state in FINAL for it in seen.values())

    def listen(since, enough):
        with Client(Found(address=office.address, token=office.token)) as client:
            for changes in client.follow(book, since=since):
                cursors.append(changes.cursor)
                seen.update({state.row_id: state for state in changes.states})
                if enough():
                    return

    thread = threading.Thread(target=listen, args=(book.cursor, lambda: bool(seen)))
    thread.start()
    office.client.written(campaign, applied(campaign))
    thread.join(60)
    assert seen  # and the connection is gone
    if not over():  # else all came at once, and nothing more will
        listen(cursors[-1], over)
    assert cursors == sorted(cursors)
    assert len(set(cursors)) == len(cursors)


@pytest.mark.parametrize("wrong", [None, "x", "-1"])
def test_the_stream_begins_after_the_last_event_that_was_heard(office, wrong):
    """Not at the start again, as `since` would have it; a header that is none is left aside. Both numbers are refused, and say nothing more."""
    book = office.book()
    campaign = office.client.send(office.client.plan(book, snapshot("600000025")))
    office.client.written(campaign, applied(campaign))
    office.changes(book, book.cursor, final(1))
    heard = office.client.changes(book, since=0).cursor
    other = office.client.send(office.client.plan(book, snapshot("600000125")))
    office.client.written(other, applied(other))
    office.changes(book, heard, final(1))
    last = str(heard) if wrong is None else wrong
    path = f"/v1/events?workbook={book.id}&since=0"
    with office.authorized(**{"Last-Event-ID": last}) as http, http.stream("GET", path) as stream:
        data = next(line for line in stream.iter_lines() if line.startswith("data:"))
    said = {it["row_id"] for it in json.loads(data.removeprefix("data:"))["states"]}
    first, second = ({edit.values[Role.ID] for edit in it.edits} for it in (campaign, other))
    assert said == (second if wrong is None else first | second)


def test_no_proxy_comes_between_a_client_and_its_service(office, monkeypatch):
    """It would be shown the token, and every number."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert find(office.data) == Found(address=office.address, token=office.token)
    with Client(Found(address=office.address, token=office.token)) as client:
        assert client.health().stopped is None


def test_a_cursor_misses_nothing_whatever_its_age(office):
    book = office.book()
    campaign = office.client.send(office.client.plan(book, snapshot("600000001", "600000002")))
    office.client.written(campaign, applied(campaign))
    states = office.changes(book, book.cursor, final(2))
    for since in range(office.client.health().cursor):
        found = office.client.changes(book, since=since)
        assert {it.row_id: it.state for it in found.states}.items() <= {k: v.state for k, v in states.items()}.items()
    assert set(office.changes(book, 0, final(2))) == set(states)
    assert office.client.changes(book, since=10**12).cursor <= office.client.health().cursor


def test_a_workbook_that_is_open_is_not_written_until_it_is_closed(tmp_path):
    watched = tmp_path / "watched"
    watched.mkdir()
    path = watched / "lista.xlsx"
    book = openpyxl.Workbook()
    headers = ["Nombre", "Teléfono", "Mensaje", "Enviar", "Estado", "Detalle", "Hora del estado", "Respuesta",
               "Hora de la respuesta", "ID SMS"]  # fmt: skip
    with running(tmp_path, watch=watched) as office:
        opened = office.book(path)
        book.active.title = "Lista"
        book.active.append(headers)
        book.active.append(["P2", "600000001", "Hola {Nombre}", "x"])
        book.save(path)
        before = path.read_bytes()
        campaign = office.client.send(office.client.plan(opened, snapshot("600000001")))
        office.client.written(campaign, applied(campaign))
        states = office.changes(opened, opened.cursor, final(1))
        office.book(path)
        assert path.read_bytes() == before
        office.client.closed(opened)  # without saving
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (row := next(iter(read_rows(path)))).id:
            time.sleep(0.1)
        assert row.id in states
        assert not row.marked
        said = office.client.conversation("600000001").texts
        assert len([it for it in said if it.mine]) == 1


def test_a_second_workbook_with_the_same_guid_is_told(tmp_path):
    with running(tmp_path) as office:
        one, other = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
        one.write_bytes(b"x")
        other.write_bytes(b"x")
        office.book(one)
        with pytest.raises(UserError, match="workbook-copied") as caught:
            office.book(other)
        assert "a.xlsx" in caught.value.message()
        one.unlink()
        assert office.book(other).path == other  # it was renamed


def test_a_workbook_that_is_saved_for_the_first_time_is_the_same(tmp_path):
    with running(tmp_path) as office:
        never = office.book()
        assert never.path is None
        assert office.book(tmp_path / "now.xlsx").id == never.id


def test_a_service_that_is_gone_is_told(tmp_path):
    with running(tmp_path) as office:
        found = Found(address=office.address, token=office.token)
    with Client(found) as client, pytest.raises(TransientError, match="service-not-answering"):
        client.health()
    assert not (tmp_path / "data" / "service.json").exists()


def test_a_service_that_was_started_anew_is_found_again(tmp_path):
    """A process that stays with an open workbook for a day outlives many a service."""
    with running(tmp_path) as first:
        client = Client(Found(address=first.address, token=first.token), data=tmp_path / "data")
        assert client.health().stopped is None
    with client, pytest.raises(TransientError, match="service-not-answering"):
        client.health()
    client = Client(Found(address=first.address, token=first.token), data=tmp_path / "data")
    with running(tmp_path) as second, client:
        assert second.address != first.address
        assert client.health().stopped is None
        assert client.conversation_page("600000001").startswith(second.address)


# Pages.


def open_page(office, address):
    path, _, ticket = address.removeprefix(office.address).partition("#")
    with office.http(Origin=office.address) as http:
        assert http.get(path).status_code == 200
        return http.post("/page/open", json={"ticket": ticket})


def test_a_preview_page_opens_once_shows_the_plan_and_orders_its_sending(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001", "6000"))
    address = office.client.preview_page(plan)
    assert plan.id not in address
    opened = open_page(office, address).json()
    assert open_page(office, address).json()["code"] == "page-expired"
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        shown = page.post("/page/plan").json()
        assert (shown["hash"], shown["stage"], shown["name"]) == (plan.hash, "open", "lista.xlsx")
        assert shown["rows"][1]["row_id"] is None
        place = {"sheet": "Lista", "row": 3, "column": "B"}
        assert page.post("/page/show", json=place | {"row_id": "BCDFGHJKMNPQR"}).status_code == 204
        assert page.post("/page/show", json=place | {"row_id": "=1+1"}).status_code == 422
        assert page.post("/page/approve", json={"hash": "0" * 64}).json()["code"] == "plan-changed"
        assert page.post("/page/approve", json={"hash": plan.hash}).status_code == 204
        orders = office.client.changes(book, since=book.cursor).orders
        assert [order.kind for order in orders] == [OrderKind.SHOW, OrderKind.SEND]
        assert (orders[0].sheet, orders[0].row, orders[0].column) == ("Lista", 3, "B")
        assert orders[0].row_id == "BCDFGHJKMNPQR"
        assert (orders[1].plan, orders[1].hash) == (plan.id, plan.hash)
        assert office.client.changes(book, since=book.cursor).orders == ()
        campaign = office.client.send(orders[1].plan, orders[1].hash)
        office.client.written(campaign, applied(campaign))
        stage = page.post("/page/stage").json()
        assert (stage["stage"], stage["withdrawn"]) == ("approved", 0)
        # Its key opens this page only.
        assert page.post("/page/conversation").json()["code"] == "page-expired"
        assert page.get("/v1/health").status_code == 401


def test_a_page_of_a_closed_workbook_orders_nothing(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001"))
    opened = open_page(office, office.client.preview_page(plan)).json()
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        office.client.closed(book)
        assert page.post("/page/approve", json={"hash": plan.hash}).json()["code"] == "page-workbook-closed"
        assert office.client.changes(office.book(), since=book.cursor).orders == ()
        assert page.post("/page/approve", json={"hash": plan.hash}).status_code == 204


def test_an_order_that_no_workbook_took_for_long_lapses(office, monkeypatch):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001"))
    opened = open_page(office, office.client.preview_page(plan)).json()
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        assert page.post("/page/approve", json={"hash": plan.hash}).status_code == 204
        monkeypatch.setattr("xlsms_service.api.desk._ORDER_LASTS", timedelta(0))
        assert office.client.changes(book, since=book.cursor).orders == ()
        assert page.post("/page/stage").json()["stage"] == "open"


def test_a_page_tells_what_did_not_go_as_its_row_had_changed(office):
    book = office.book()
    plan = office.client.plan(book, snapshot("600000001", "600000002", "600000003"))
    opened = open_page(office, office.client.preview_page(plan)).json()
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        page.post("/page/approve", json={"hash": plan.hash})
        campaign = office.client.send(plan.id, plan.hash)
        stage = page.post("/page/stage").json()
        assert (stage["stage"], stage["withdrawn"]) == ("wanted", 0)  # nothing stands in the sheet yet
        office.client.written(campaign, applied(campaign, done=campaign.edits[:1]))
        stage = page.post("/page/stage").json()
        assert (stage["stage"], stage["withdrawn"]) == ("approved", 2)


@pytest.mark.parametrize(
    ("row", "column"), [(1_048_577, "B"), (0, "B"), (2, "A1:B2;"), (2, "b"), (2, "ABCD"), (2, "B\n")]
)
def test_a_page_sends_to_no_cell_that_cannot_be(office, row, column):
    plan = office.client.plan(office.book(), snapshot("600000001"))
    opened = open_page(office, office.client.preview_page(plan)).json()
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        told = page.post("/page/show", json={"sheet": "Lista", "row": row, "column": column})
        assert (told.status_code, told.json()["code"]) == (422, "api-invalid")


def test_a_conversation_page_shows_one_number_and_answers_it_once(office):
    office.client.text("600000001", "<img src=x onerror=alert(1)>")
    opened = open_page(office, office.client.conversation_page("600 000 001")).json()
    assert "600000001" not in office.client.conversation_page("600000001")
    with office.http(Authorization=f"Bearer {opened['key']}") as page:
        shown = page.post("/page/conversation").json()
        assert shown["number"] == "+34600000001"
        for _ in range(2):
            assert page.post("/page/reply", json={"text": "Gracias", "key": "k" * 16}).status_code == 204
        texts = [it["text"] for it in page.post("/page/conversation").json()["texts"] if it["mine"]]
        assert sorted(texts) == ["<img src=x onerror=alert(1)>", "Gracias"]
        with page.stream("GET", "/page/events", headers={"Last-Event-ID": "0"}) as stream:
            assert any(line.startswith("id: ") for line in stream.iter_lines())


def test_a_conversation_page_has_the_language_that_is_asked_for(office):
    office.client.text("600000001", "Hola")
    for language, label in (("en", "en"), ("es", "es"), (None, "es")):
        opened = open_page(office, office.client.conversation_page("600000001", language)).json()
        assert opened["language"] == label
        with office.http(Authorization=f"Bearer {opened['key']}") as page:
            said = next(it for it in page.post("/page/conversation").json()["texts"] if it["mine"])
        assert said["label"] == LABELS[label][State(said["state"])]


def heard_on(office, page):
    """Everything that a page's stream says from the start of the ledger up to its own first news."""
    lines, headers = [], {"Last-Event-ID": "0"}
    with office.http(Authorization=f"Bearer {page}") as http, http.stream("GET", "/page/events", headers=headers) as it:
        for line in it.iter_lines():
            lines.append(line)
            if line.startswith("data:"):
                return lines
    raise AssertionError("no news came")


def test_the_stream_of_a_page_tells_nothing_of_others(office):
    office.client.text("600000001", "secreto")
    deadline = time.monotonic() + 60
    while not office.client.inbox() and time.monotonic() < deadline:
        time.sleep(0.05)
    first, other = office.book(), office.book(guid="5d2f1b63-7b2d-4b60-8a4b-1e7a4a1c8b22")
    sent = office.client.send(office.client.plan(other, snapshot("600000002")))
    office.client.written(sent, applied(sent))
    office.changes(other, 0, final(1))
    plan = office.client.plan(first, snapshot("600000003"))
    preview = open_page(office, office.client.preview_page(plan)).json()["key"]
    talk = open_page(office, office.client.conversation_page("600 000 004")).json()["key"]
    before = office.client.changes(first, since=0).cursor
    own = office.client.send(plan)
    office.client.written(own, applied(own))
    office.client.text("600000004", "Hola")
    for page in (preview, talk):
        *_, cursor, kind, data = heard_on(office, page)
        assert (kind, data) == ("event: news", "data:")
        assert int(cursor.removeprefix("id: ")) > before
        assert not any(word in "".join(heard_on(office, page)) for word in ("60000000", "secreto", "row_id", "Lista"))


def test_what_is_heard_is_of_one_workbook_or_number(office):
    from xlsms_service.ledger import changes
    from xlsms_service.ledger.reader import Reader

    office.client.text("600000001", "Hola")
    deadline = time.monotonic() + 60
    while not office.client.inbox() and time.monotonic() < deadline:
        time.sleep(0.05)
    with Reader.open(office.data) as reader:
        last, own = reader.ask(changes.heard, 0, number="+34600000001")
        assert (last > 0, own) == (True, True)
        for others in ({"number": "+34600000009"}, {"book": 1}):
            assert reader.ask(changes.heard, 0, **others)[1] is False
        assert reader.ask(changes.heard, 10**9, number="+34600000001")[1] is False


def test_the_pages_say_the_same_in_both_languages():
    from xlsms_service.web.pages import words

    assert set(words("en")) == set(words("es"))
    script = (DOCS.parent / "service/xlsms_service/web/assets/page.js").read_text("utf-8")
    asked = set(re.findall(r'say\("(\w+)"', script))
    assert asked <= set(words("en"))
    assert "innerHTML" not in script


# The description.


@pytest.fixture(scope="module")
def made():
    spec = importlib.util.spec_from_file_location("generate_api", DOCS / "generate_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_description_in_the_docs_is_that_of_the_service(made):
    kept, now = json.loads((DOCS / "reference" / "openapi.json").read_text("utf-8")), made.document()

    def shape(document):
        paths = {(path, method): sorted(said["responses"]) for path, of in document["paths"].items() for method, said in of.items()}  # fmt: skip
        bodies = {name: sorted(it.get("properties", ())) for name, it in document["components"]["schemas"].items()}
        return paths, bodies

    assert now["openapi"].startswith("3.1")
    assert shape(kept) == shape(now), "run python docs/generate_api.py"


def test_the_page_about_the_api_is_fresh(made):
    assert (DOCS / "reference" / "api.md").read_text("utf-8") == made.page(), "run python docs/generate_api.py"


def test_times_are_utc(shared):
    shared.client.stop()
    assert shared.client.health().stopped.tzinfo == UTC
    shared.client.resume()


def connector_of(office, message):
    """The connector that a message went over, once it has left."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(next(office.data.glob("*.sqlite3")))) as ledger:
            ((connector,),) = ledger.execute("select connector from message where id = ?", (message,)).fetchall()
        if connector is not None:
            return connector
        time.sleep(0.05)
    raise AssertionError("it has not left")


def test_an_answer_goes_out_over_the_connector_that_it_answers(tmp_path):
    routes = (Route(workbook="lista*", use=("second",)),)
    with running(tmp_path, more=("second",), routes=routes) as office:
        book = office.book(tmp_path / "lista.xlsx")
        campaign = office.client.send(office.client.plan(book, snapshot("600000001")))
        office.client.written(campaign, applied(campaign))
        office.changes(book, book.cursor, lambda states: any(state.reply for state in states.values()))
        answer, other = (office.client.reply(number, "Gracias") for number in ("600000001", "600000002"))
        assert connector_of(office, answer.message) == "second"
        assert connector_of(office, other.message) == "network"
