"""The whole service in one process, with a simulated network of its own."""

import asyncio
from datetime import timedelta

import openpyxl
import pytest
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from sqlalchemy import select

from xlsms.errors import TransientError, UserError
from xlsms.states import State
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.own_sheets import OWN
from xlsms.workbook.setup import set_up
from xlsms_service.app import App, Patience, delivering, status
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings, Watch
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message
from xlsms_service.sync.writeback import Writeback

HEADERS = ["Nombre", "Teléfono", "Mensaje", "Enviar", "Estado", "Detalle", "Hora del estado", "Respuesta",
           "Hora de la respuesta", "ID SMS"]  # fmt: skip

#: Two last digits of a number decide how its phone behaves: these deliver, answer, fail and are off.
NUMBERS = ["600000001", "600000002", "600000035", "600000027"]


def make_list(path, numbers=NUMBERS, text="Hola {Nombre}"):
    book = openpyxl.Workbook()
    book.active.append(HEADERS)
    for number in numbers:
        book.active.append([f"P{number[-2:]}", number, text, "x"])
    book.save(path)
    return path


def settings_for(tmp_path, *, watch=False, **options):
    kind = options.pop("type", "simulator")
    if kind == "simulator":
        options = {"haste": 50} | options
    return Settings(
        service=ServiceSettings(data=tmp_path / "data"),
        watches=(Watch(folder=tmp_path / "watched"),) if watch else (),
        connectors=(ConnectorSettings(name="network", type=kind, options=options),),
    )


def send(settings, path, **more):
    async def main():
        async with App(settings) as service, asyncio.timeout(60):
            return await service.send(path, patience=Patience(**more))

    return asyncio.run(main())


def shown(path):
    return {row.phone: row.status for row in read_rows(path)}


def test_states_stand_beside_the_right_row_when_send_returns(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    report = send(settings_for(tmp_path), path)
    assert report.finished
    assert report.by_state == {State.DELIVERED: 2, State.FAILED: 1, State.EXPIRED: 1}
    assert shown(path) == dict(zip(NUMBERS, ["Entregado", "Entregado", "Fallido", "Caducado"], strict=True))


def test_what_the_user_saved_is_kept_before_it_is_written_over(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    before = path.read_bytes()
    send(settings_for(tmp_path), path)
    kept = [file.read_bytes() for file in (tmp_path / "data" / "backups").rglob("*.xlsx")]
    assert kept == [before]


def test_sending_again_sends_nothing_and_tells_how_things_stand(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    settings = settings_for(tmp_path)
    first = send(settings, path)
    before = path.read_bytes()
    again = send(settings, path)
    assert again.by_state == first.by_state
    assert path.read_bytes() == before


def test_without_waiting_it_returns_when_all_is_handed_over_and_a_later_send_brings_the_rest(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    slow = settings_for(tmp_path, haste=1)
    report = send(slow, path, wait=False)
    assert not report.finished
    assert State.QUEUED not in report.by_state
    assert status(slow).tally.total == 4


def test_a_receipt_that_never_comes_does_not_keep_the_next_send_waiting(tmp_path):
    phones = tmp_path / "phones.toml"
    phones.write_text('[[phone]]\nnumber = "+34600000050"\nbehaviour = "silent"\n')
    settings = settings_for(tmp_path, phones=str(phones))
    path = make_list(tmp_path / "list.xlsx", ["600000050"])
    assert send(settings, path, wait=False).by_state == {State.SENT: 1}
    book = openpyxl.load_workbook(path)
    book.active.append(["Otra", "600000001", "Hola", "x"])
    book.save(path)
    assert send(settings, path).by_state == {State.DELIVERED: 1}


@pytest.mark.parametrize(
    ("options", "kind", "code"),
    [({"type": "smpp", "host": "127.0.0.1", "port": 1}, TransientError, "smsc-unreachable"),
     ({"type": "ucp"}, UserError, "connector-type-not-there"),
     ({"haste": 0}, UserError, "config-expects-number")],
)  # fmt: skip
def test_without_a_way_out_nothing_is_accepted_and_the_file_is_untouched(tmp_path, options, kind, code):
    path = make_list(tmp_path / "list.xlsx")
    before = path.read_bytes()
    settings = settings_for(tmp_path, **options)
    with pytest.raises(kind) as caught:
        send(settings, path)
    assert caught.value.code == code
    assert path.read_bytes() == before
    assert status(settings).tally.total == 0


def test_no_connector_at_all_is_said(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    with pytest.raises(UserError) as caught:
        send(Settings(service=ServiceSettings(data=tmp_path / "data")), path)
    assert caught.value.code == "no-connector"


def test_an_error_of_the_file_is_told_as_it_is(tmp_path):
    path = tmp_path / "list.xlsx"
    path.write_text("not a workbook")
    with pytest.raises(UserError) as caught:
        send(settings_for(tmp_path), path)
    assert caught.value.code == "not-a-workbook"


def test_one_text_without_a_workbook(tmp_path):
    async def main():
        async with App(settings_for(tmp_path)) as service, asyncio.timeout(60):
            return await service.text("600 000 001", "¿Qué tal?")

    assert asyncio.run(main()).by_state == {State.DELIVERED: 1}


def test_a_second_service_on_the_same_ledger_is_refused_and_send_leaves_delivery_to_the_first(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    settings = settings_for(tmp_path, watch=True)
    (tmp_path / "data").mkdir()
    with Lease(tmp_path / "data") as lease:
        assert lease.held

        async def second():
            async with App(settings) as service:
                await service.run()

        with pytest.raises(UserError) as caught:
            asyncio.run(second())
        assert caught.value.code == "service-running"
        report = send(settings, path, timeout=timedelta(0))
    assert report.handed_over
    assert report.by_state == {State.QUEUED: 4}
    assert send(settings, path).by_state == {State.DELIVERED: 2, State.FAILED: 1, State.EXPIRED: 1}


def test_a_send_takes_over_when_the_process_that_delivered_has_ended(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    settings = settings_for(tmp_path)
    (tmp_path / "data").mkdir()
    lease = Lease(tmp_path / "data")
    assert lease.take()

    def ends(_progress):
        lease.give_back()

    async def main():
        async with App(settings) as service, asyncio.timeout(60):
            return await service.send(path, on_progress=ends)

    assert asyncio.run(main()).by_state == {State.DELIVERED: 2, State.FAILED: 1, State.EXPIRED: 1}


def test_a_workbook_dropped_into_a_watched_folder_is_sent_and_filled_in(tmp_path):
    watched = tmp_path / "watched"
    watched.mkdir()
    early = make_list(watched / "early.xlsx", NUMBERS[:1])
    (watched / "broken.xlsx").write_text("not a workbook")
    # half built, by a process that has ended, for a file that has gone
    left = watched / ".~xlsms-00000000-4194305.1.tmp"
    left.touch()
    events = []

    async def main():
        service = App(settings_for(tmp_path, watch=True), on_event=events.append)
        async with service, asyncio.timeout(60):
            running = asyncio.create_task(service.run())
            late = None
            while "Entregado" not in shown(early).values() or late is None or "Entregado" not in shown(late).values():
                if late is None and any(event.kind == "accepted" for event in events):
                    late = make_list(watched / "late.xlsx", ["600000003"], "otra cosa")
                done, _ = await asyncio.wait([running], timeout=0.1)
                assert not done, running.exception()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())
    assert not left.exists()
    assert {event.error.code for event in events if event.kind == "problem"} == {"not-a-workbook"}
    books = {book.path.rsplit("/", 1)[-1]: book.problem for book in status(settings_for(tmp_path)).books}
    assert books == {"early.xlsx": None, "late.xlsx": None, "broken.xlsx": "not-a-workbook"}


def test_what_stops_one_part_of_the_service_stops_it_all_and_is_told(tmp_path, monkeypatch):
    path = make_list(tmp_path / "list.xlsx")

    async def breaks(self):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(Writeback, "run", breaks)
    with pytest.raises(ZeroDivisionError):
        send(settings_for(tmp_path), path)


def test_giving_up_on_the_link_takes_no_longer_than_it_may(tmp_path, monkeypatch):
    monkeypatch.setattr(delivering, "_LINK_PATIENCE", timedelta(seconds=0))
    path = make_list(tmp_path / "list.xlsx")
    with pytest.raises(TransientError):
        send(settings_for(tmp_path, type="smpp", host="127.0.0.1", port=1), path)


def test_replies_are_listed_in_the_sheet_that_init_adds(tmp_path):
    path = make_list(tmp_path / "list.xlsx")
    assert set_up(path, own_sheets=True).sheets == OWN
    settings = settings_for(tmp_path)
    send(settings, path)
    book = openpyxl.load_workbook(path)
    listed = [row[1:3] for row in book["SMS Replies"].iter_rows(min_row=2, values_only=True)]
    beside = [
        (row[1], line)
        for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)
        for line in (row[7] or "").splitlines()
    ]
    assert beside, "one of the simulated phones answers"
    assert sorted((number[-9:], text) for number, text in listed) == sorted(beside)


def test_the_workbook_s_own_text_is_sent_to_rows_without_one(tmp_path):
    path = make_list(tmp_path / "list.xlsx", text=None)
    set_up(path, own_sheets=True)
    write_cells(path, {("SMS Settings", "B5"): "Buenos días, {Nombre}"})
    assert not send(settings_for(tmp_path), path).problems
    with Ledger.open(tmp_path / "data") as ledger:
        texts = ledger.do_now(lambda connection: connection.execute(select(message.c.text)).scalars().all())
    assert set(texts) == {f"Buenos días, P{number[-2:]}" for number in NUMBERS}


def test_a_text_file_is_sent_and_written_back_in_its_own_way(tmp_path):
    path = tmp_path / "lista.csv"
    lines = ["Nombre;Teléfono;Mensaje;Enviar", *(f"Pérez;{number};Hola {{Nombre}};x" for number in NUMBERS)]
    path.write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    report = send(settings_for(tmp_path), path)
    assert report.by_state == {State.DELIVERED: 2, State.FAILED: 1, State.EXPIRED: 1}
    content = path.read_bytes().decode("cp1252")
    assert content.startswith("Nombre;Teléfono;Mensaje;Enviar;Estado;Detalle;")
    assert [line.split(";")[:5] for line in content.split("\r\n")[1:3]] == [
        ["Pérez", number, "Hola {Nombre}", "", "Entregado"] for number in NUMBERS[:2]
    ]
    before = path.read_bytes()
    send(settings_for(tmp_path), path)
    assert path.read_bytes() == before


def old_list(path, numbers=NUMBERS, text="Hola {Nombre}"):
    book = xlwt.Workbook()
    sheet = book.add_sheet("Lista")
    for row, values in enumerate([HEADERS[:4], *((f"P{number[-2:]}", number, text, "x") for number in numbers)]):
        for column, value in enumerate(values):
            sheet.write(row, column, value)
    book.save(str(path))
    return path


def test_an_old_workbook_is_sent_once_and_its_results_stand_beside_it(tmp_path):
    path = old_list(tmp_path / "lista.xls")
    before = path.read_bytes()
    first = send(settings_for(tmp_path), path)
    results = tmp_path / "lista.sms.xlsx"
    assert first.path == results
    assert shown(results) == dict(zip(NUMBERS, ["Entregado", "Entregado", "Fallido", "Caducado"], strict=True))
    again = send(settings_for(tmp_path), path)
    assert again.total == first.total == len(NUMBERS)
    assert path.read_bytes() == before


def test_a_protected_workbook_is_sent_with_its_password(tmp_path):
    plain = make_list(tmp_path / "plain.xlsx", NUMBERS[:1])
    path = tmp_path / "lista.xlsx"
    with plain.open("rb") as file, path.open("wb") as out:
        OOXMLFile(file).encrypt("secret", out)
    plain.unlink()

    async def main(password):
        async with App(settings_for(tmp_path), password=password) as service:
            return await service.send(path)

    with pytest.raises(UserError, match="file-encrypted"):
        asyncio.run(main(None))
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".xlsx"] == ["lista.xlsx"]
    assert asyncio.run(main("secret")).by_state == {State.DELIVERED: 1}
    assert shown(tmp_path / "lista.sms.xlsx") == {NUMBERS[0]: "Entregado"}


def test_a_watched_folder_takes_text_and_old_files_and_later_marks_in_the_results(tmp_path):
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "a.csv").write_text("Teléfono,Mensaje,Enviar\n600000001,hola,x\n")
    old_list(watched / "b.xls", ["600000002"], "adiós")
    results = watched / "b.sms.xlsx"

    async def main():
        async with App(settings_for(tmp_path, watch=True)) as service, asyncio.timeout(60):
            running = asyncio.create_task(service.run())
            while (
                "Entregado" not in (watched / "a.csv").read_text()
                or not results.exists()
                or "Entregado" not in shown(results).values()
            ):
                done, _ = await asyncio.wait([running], timeout=0.1)
                assert not done, running.exception()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(main())
    assert sorted(each.name for each in watched.iterdir()) == ["a.csv", "b.sms.xlsx", "b.xls"]
