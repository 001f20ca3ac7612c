"""`xlsms stop`, `resume`, `recall` and `resolve`."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.unit.api.conftest import applied, running, snapshot
from xlsms.client import Client
from xlsms.client.starting import Found
from xlsms.model import Outcome, PartKey, Result, Role
from xlsms.states import State
from xlsms_service.cli import control, ordering
from xlsms_service.delivery import outcome
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import acceptance, book, claim
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, part

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "ledger") as opened:
        yield opened


def accept(ledger, number, path=None, parts=1):
    draft = Draft(
        number=number, text="x", alphabet="gsm7", parts=parts, fingerprint=number, route="", sheet="Lista",
        row_id=f"ID{number[-3:]}" if path else None,
    )  # fmt: skip
    if path is None:
        return ledger.do_now(acceptance.accept_text, draft, NOW)
    known = ledger.do_now(
        book.recognise, path=path, guid=None, language="es", row_ids=(), exists=lambda path: path.exists()
    )
    ledger.do_now(acceptance.propose, known.id, [draft], NOW)
    ledger.do_now(acceptance.admit, [draft.row_id], now=NOW, since=NOW)
    return ledger.do_now(lambda c: c.execute(select(message.c.id).where(message.c.row_id == draft.row_id)).scalar_one())


def lose(ledger, key, *taken, parts=1):
    """Claim everything; the answer to this one never comes."""
    ledger.do_now(claim.claim, connector="operator", routes=[""], room=99, idle=True, now=NOW)
    outcomes = tuple(
        Outcome(
            key=PartKey(key, number),
            result=Result.ACCEPTED if number in taken else Result.UNCERTAIN,
            at=NOW,
            network_id="N" if number in taken else None,
            code=None if number in taken else "answer-lost",
        )
        for number in range(1, parts + 1)
    )
    ledger.do_now(outcome.settle, "operator", [Answered(key, outcomes)], lambda _: (), NOW)


def row(ledger, key):
    return ledger.do_now(lambda c: c.execute(select(message).where(message.c.id == key)).one())


def test_stop_and_resume(xlsms, settings, ledger):
    config = settings()
    assert xlsms("--config", config, "status", "--json").figures["stopped"] is None
    stopped = xlsms("--config", config, "stop", "--json")
    assert (stopped.code, xlsms("--config", config, "stop", "--json").figures) == (0, stopped.figures)
    assert xlsms("--config", config, "status", "--json").figures["stopped"] == stopped.figures["stopped"]
    assert "Nothing more goes out, since" in xlsms("--config", config, "status").out
    accept(ledger, "+34600111222")
    assert ledger.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=NOW) == []
    assert xlsms("--config", config, "resume", "--json").figures == {"stopped": None, "was_stopped": True}
    assert "was not stopped" in xlsms("--config", config, "resume").out
    assert len(ledger.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=NOW)) == 1


def test_send_and_text_say_that_all_is_stopped_and_take_nothing(xlsms, connected, sheet):
    file = sheet([["Teléfono", "Mensaje", "Enviar"], ["600111222", "hola", "x"]])
    before = file.read_bytes()
    xlsms("--config", connected, "stop")
    for words in (["send", file], ["text", "600111222", "hola"]):
        run = xlsms("--config", connected, *words)
        assert (run.code, "[sending-stopped]" in run.complaint) == (2, True)
    assert file.read_bytes() == before
    assert xlsms("--config", connected, "status", "--json").figures["states"] == {}
    xlsms("--config", connected, "resume")
    assert xlsms("--config", connected, "send", file, "--json").code == 0


def test_a_workbook_is_stopped_let_go_on_and_taken_back_alone(xlsms, settings, ledger, tmp_path):
    config, path, other = settings(), tmp_path / "lista.xlsx", tmp_path / "otra.xlsx"
    for file in (path, other):
        file.touch()
    mine, others = accept(ledger, "+34600111222", path), accept(ledger, "+34600111333", other)
    run = xlsms("--config", config, "stop", path)
    assert (run.code, f"Held in {path}: 1." in run.out.replace("\n", "")) == (0, True)
    assert (row(ledger, mine).code, row(ledger, others).state) == ("paused", State.QUEUED)
    expected = {"workbook": str(path), "count": 1, "under_way": 0, "asked_back": 0}
    assert xlsms("--config", config, "resume", path, "--json").figures == expected
    assert row(ledger, mine).state == State.QUEUED
    run = xlsms("--config", config, "recall", path)
    assert (run.code, "[recall-needs-yes]" in run.complaint) == (2, True)
    assert xlsms("--config", config, "recall", path, "--yes", "--json").figures == expected
    assert (row(ledger, mine).state, row(ledger, others).state) == (State.CANCELLED, State.QUEUED)
    assert "Taken back: 1." in xlsms("--config", config, "recall", "--yes").out
    assert row(ledger, others).state == State.CANCELLED
    assert "[workbook-unknown]" in xlsms("--config", config, "recall", tmp_path / "no.xlsx", "--yes").complaint


def test_what_is_on_a_link_is_told_when_it_is_recalled(xlsms, settings, ledger):
    accept(ledger, "+34600111222")
    ledger.do_now(claim.claim, connector="operator", routes=[""], room=9, idle=True, now=NOW)
    out = xlsms("--config", settings(), "recall", "--yes").out
    assert ("Taken back: 0." in out, "On a link just now: 1." in out) == (True, True)


def test_what_is_uncertain_is_listed_with_all_that_is_known(xlsms, settings, ledger, tmp_path):
    config = settings()
    assert "Nothing is uncertain." in xlsms("--config", config, "resolve").out
    path = tmp_path / "lista.xlsx"
    path.touch()
    accept(ledger, "+34600111333")
    key = accept(ledger, "+34600111222", path)
    lose(ledger, key)
    run = xlsms("--config", config, "resolve")
    assert run.code == 0
    for said in ("+34600111222", "lista.xlsx", "ID222", "operator", "did not confirm"):
        assert said in run.out
    assert "+34600111333" not in run.out
    (only,) = xlsms("--config", config, "resolve", path, "--json").figures["uncertain"]
    assert only == {
        "message": key,
        "number": "+34600111222",
        "workbook": str(path),
        "sheet": "Lista",
        "id": "ID222",
        "since": NOW.isoformat(),
        "connector": "operator",
        "code": "answer-lost",
    }
    assert xlsms("--config", config, "resolve", "--number", "600111333", "--json").figures["uncertain"] == []
    assert xlsms("--config", config, "resolve", tmp_path / "other.xlsx").code == 2
    assert row(ledger, key).state == State.UNCERTAIN, "nothing was settled"


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        ("delivered", State.DELIVERED),
        ("failed", State.FAILED),
        ("cancelled", State.CANCELLED),
        ("resend", State.QUEUED),
    ],
)
def test_someone_knows_what_became_of_it(xlsms, settings, ledger, verdict, state):
    config = settings()
    key = accept(ledger, "+34600111222", parts=2)
    lose(ledger, key, 1, parts=2)
    before = row(ledger, key).version
    refused = xlsms("--config", config, "resolve", "--as", verdict)
    assert (refused.code, "[resolve-needs-yes]" in refused.complaint) == (2, True)
    run = xlsms("--config", config, "resolve", "--as", verdict, "--yes", "--number", "600111222", "--json")
    assert (run.code, run.figures["settled"]) == (0, 1)
    assert (row(ledger, key).state, row(ledger, key).code) == (state, "settled-by-hand")
    assert row(ledger, key).version == before + 1, "the sheet is to show it"
    assert xlsms("--config", config, "resolve", "--as", verdict, "--yes", "--json").figures["settled"] == 0
    lost = ledger.do_now(lambda c: c.execute(select(part.c.state).where(part.c.part == 2)).scalars().all())
    again = ledger.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=datetime.now(UTC))
    if verdict == "resend":
        assert lost == []
        assert [(each.id, each.taken, each.tries) for each in again] == [(key, {1}, 2)], "the lost part alone"
        assert row(ledger, key).expires_at > datetime.now(UTC) + timedelta(hours=47)
    else:
        assert (lost, again) == ([state], [])


def test_a_receipt_that_came_first_is_not_overruled(ledger):
    key = accept(ledger, "+34600111222")
    lose(ledger, key)
    ledger.do_now(lambda c: c.execute(update(message).values(state=State.DELIVERED)) and None)
    assert ledger.do_now(control.lost.settle, [key], control.Verdict.RESEND, NOW, timedelta(hours=1)) == 0
    assert row(ledger, key).state == State.DELIVERED


def test_a_verdict_that_does_not_exist_is_refused(xlsms, settings):
    run = xlsms("--config", settings(), "resolve", "--as", "lost")
    assert (run.code, "[usage-value]" in run.complaint) == (2, True)


@pytest.mark.parametrize(("said", "settled"), [(True, 1), (False, 0)])
def test_on_a_terminal_it_asks_and_says_what_a_second_one_costs(
    xlsms, settings, ledger, monkeypatch, capsys, said, settled
):
    config = settings()
    lose(ledger, accept(ledger, "+34600111222"))
    asked = []
    monkeypatch.setattr("rich.console.Console.is_terminal", property(lambda _: True))
    monkeypatch.setattr("typer.confirm", lambda text: asked.append(text) or said)
    run = xlsms("--config", config, "resolve", "--as", "resend")
    assert asked == ["Settle 1 messages as Queued?"]
    assert "a second time" in run.out
    assert ("Settled: 1" in run.out) is bool(settled)


def orders_of(monkeypatch):
    """What the running service is asked to do."""
    asked, real = [], Client._ask

    def ask(self, method, path, *more, **named):
        asked.append(path)
        return real(self, method, path, *more, **named)

    monkeypatch.setattr(Client, "_ask", ask)
    return asked


def test_a_running_service_carries_orders_out_itself(xlsms, tmp_path, monkeypatch):
    config = tmp_path / "xlsms.toml"
    config.write_text('[service]\ndata = "data"\n[[connector]]\nname = "network"\ntype = "simulator"\n')
    file = tmp_path / "list.xlsx"
    file.write_bytes(b"")
    with running(tmp_path, language="en") as office:
        book = office.book(file)
        xlsms("--config", config, "stop")
        campaign = office.client.send(office.client.plan(book, snapshot("600000001", "600000002")))
        office.client.written(campaign, applied(campaign))
        asked = orders_of(monkeypatch)
        stopped = xlsms("--config", config, "text", "600000003", "Hello")
        assert (stopped.code, "[sending-stopped]" in stopped.complaint) == (2, True)
        assert f"Held in {file}: 2." in xlsms("--config", config, "stop", file).out
        said = xlsms("--config", config, "resume", file).out
        assert f"Goes on in {file}: 2." in said
        assert "But all sending is stopped since" in said
        said = xlsms("--config", config, "recall", file, "--yes").out
        assert "Taken back: 2. Their sheets show it in a moment." in said
        assert xlsms("--config", config, "resume", "--json").figures == {"stopped": None, "was_stopped": True}
        assert xlsms("--config", config, "text", "600000003", "Hello", "--json").figures["handed_over"] is True
        states = {state.state for state in office.client.states([it.values[Role.ID] for it in campaign.edits]).values()}
    assert states == {State.CANCELLED}
    assert asked[:8] == [
        "/v1/health", "/v1/pause", "/v1/unpause", "/v1/health", "/v1/recall", "/v1/resume", "/v1/health", "/v1/messages",
    ]  # fmt: skip
    assert "Nothing more goes out" in xlsms("--config", config, "stop").out  # and in the ledger, when none runs
    assert xlsms("--config", config, "status", "--json").figures["stopped"]


def test_a_service_that_goes_in_this_moment_leaves_the_order_to_the_ledger(xlsms, settings, ledger, monkeypatch):
    monkeypatch.setattr(ordering, "find", lambda data: Found(address="http://127.0.0.1:9", token="t"))
    assert "Nothing more goes out" in xlsms("--config", settings(), "stop").out
    monkeypatch.undo()
    assert xlsms("--config", settings(), "status", "--json").figures["stopped"]
