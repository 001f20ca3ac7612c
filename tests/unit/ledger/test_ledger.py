import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from xlsms.errors import UserError
from xlsms_service.ledger import ledger as ledger_module
from xlsms_service.ledger import migration
from xlsms_service.ledger.instant import Instant, stored
from xlsms_service.ledger.lease import Lease, holder
from xlsms_service.ledger.ledger import Ledger, connect
from xlsms_service.ledger.reader import Reader
from xlsms_service.ledger.schema import link, message, metadata, part, workbook

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def add_link(connection, name):
    connection.execute(insert(link).values(connector=name, state="up", at=NOW))


def link_names(connection):
    return list(connection.execute(select(link.c.connector).order_by(link.c.connector)).scalars())


def test_migrations_make_exactly_the_tables_of_the_schema(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    migration.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_newest_migration():
    folder = str((migration.__file__).replace("migration.py", "migrations"))
    assert ScriptDirectory(folder).get_current_head() == migration.HEAD


OLD_MESSAGE = text(
    "INSERT INTO message (id, mark_open, admitted, superseded, number, text, alphabet, parts, fingerprint, route, state,"
    " state_at, accepted_at, not_before, attempts, version, written) VALUES (:id, 0, 1, 0, '+34600111222', 'x', 'gsm7',"
    " 1, 'f', '', 'queued', :at, :at, :later, 0, 1, 1)"
)


def test_a_ledger_of_the_first_tables_keeps_what_it_holds(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    config = Config()
    config.set_main_option("script_location", str((migration.__file__).replace("migration.py", "migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(insert(link).values(connector="old", state="up", at=NOW))
        for name in ("a", "a", "b"):
            connection.execute(text("INSERT INTO workbook (path, language) VALUES (:path, 'en')"), {"path": name})
        for key, later in ((1, None), (2, NOW + timedelta(hours=1))):
            connection.execute(OLD_MESSAGE, {"id": key, "at": stored(NOW), "later": later and stored(later)})
    migration.upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(select(message).order_by(message.c.id)).all()
        assert [(row.due, row.expires_at, row.priority) for row in rows] == [
            (NOW, None, 1),
            (NOW + timedelta(hours=1), None, 1),
        ]
        assert link_names(connection) == ["old"]
        assert [row.standing for row in connection.execute(select(workbook).order_by(workbook.c.id))] == [
            False,  # the newest was taken to stand there
            True,
            True,
        ]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_commit_is_synced_to_disk_and_foreign_keys_hold(ledger):
    def pragmas(connection):
        return {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert ledger.do_now(pragmas) == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with pytest.raises(IntegrityError):
        ledger.do_now(
            lambda c: c.execute(insert(part).values(message_id=99, part=1, connector="x", state="sent", at=NOW)),
        )


def fails(connection):
    add_link(connection, "half")
    raise LookupError("on purpose")


def test_work_that_fails_alone_leaves_nothing_behind(ledger):
    with pytest.raises(LookupError):
        ledger.do_now(fails)
    ledger.do_now(add_link, "after")
    assert ledger.do_now(link_names) == ["after"]


def test_work_that_fails_leaves_nothing_behind_and_the_others_stand(ledger):
    started, go_on = threading.Event(), threading.Event()

    def holds(connection):  # what follows queues up behind it, and shares one transaction
        started.set()
        go_on.wait()

    ledger._writer.submit(holds)
    started.wait()
    futures = [
        ledger._writer.submit(lambda c: add_link(c, "before")),
        ledger._writer.submit(fails),
        ledger._writer.submit(lambda c: add_link(c, "after")),
    ]
    go_on.set()
    assert futures[0].result() is None
    with pytest.raises(LookupError):
        futures[1].result()
    assert futures[2].result() is None
    assert ledger.do_now(link_names) == ["after", "before"]


def test_works_that_cannot_begin_are_told_and_later_ones_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_module, "_BUSY_SECONDS", 0)
    other = sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)
    with Ledger.open(tmp_path) as ledger:
        other.execute("BEGIN EXCLUSIVE")
        futures = [ledger._writer.submit(lambda c: add_link(c, "never")) for _ in range(3)]
        for future in futures:
            with pytest.raises(OperationalError):
                future.result(timeout=60)
        other.execute("ROLLBACK")
        ledger.do_now(add_link, "later")
        assert ledger.do_now(link_names) == ["later"]
    other.close()


def test_what_was_reported_done_survives_kill_9(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from sqlalchemy import insert
        from xlsms_service.ledger.ledger import Ledger
        from xlsms_service.ledger.schema import link
        ledger = Ledger.open(Path(sys.argv[1]))
        for number in range(20):
            ledger.do_now(lambda c: c.execute(
                insert(link).values(connector=f"{number:02}", state="up", at=datetime.now(UTC))) and None)
            print(number, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    said = [f"{int(line):02}" for line in run.stdout.split()]
    assert len(said) == 20, run.stderr
    with Ledger.open(tmp_path) as ledger:
        assert ledger.do_now(link_names) == said


def test_a_file_that_is_no_ledger_is_named_and_left_alone(tmp_path):
    file = tmp_path / "ledger.sqlite3"
    file.write_bytes(b"this is a shopping list, not a database" * 50)
    before = file.read_bytes()
    with pytest.raises(UserError) as caught:
        Ledger.open(tmp_path)
    assert caught.value.code == "ledger-damaged"
    assert str(file) in str(caught.value)
    assert file.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes there")
@pytest.mark.parametrize("before", ["new", "open to all"])
def test_nobody_else_on_this_computer_can_read_numbers_and_texts(tmp_path, before):
    tmp_path.chmod(0o755)
    mask = os.umask(0o022)
    try:
        with Ledger.open(tmp_path) as opened:
            opened.do_now(add_link, "a")
            if before == "open to all":
                for file in tmp_path.glob("ledger.sqlite3*"):
                    file.chmod(0o644)
        with Ledger.open(tmp_path) as opened:
            opened.do_now(add_link, "b")
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("ledger.sqlite3*")}
    finally:
        os.umask(mask)
    assert modes == dict.fromkeys(("ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"), 0o600)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError) as caught:
        Ledger.open(tmp_path / "file" / "data")
    assert caught.value.code == "ledger-folder"


def test_a_ledger_held_by_another_program_for_too_long_is_said_to_be_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_module, "_BUSY_SECONDS", 0)
    Ledger.open(tmp_path).close()
    other = sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ledger_module.TransientError) as caught:
        Ledger.open(tmp_path)
    other.close()
    assert caught.value.code == "ledger-busy"


def test_a_ledger_without_room_is_said_to_be_full_and_not_damaged(tmp_path, monkeypatch):
    def upgrade(_engine):
        raise OperationalError("CREATE TABLE", None, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(ledger_module.migration, "upgrade", upgrade)
    with pytest.raises(ledger_module.TransientError) as caught:
        Ledger.open(tmp_path)
    assert caught.value.code == "ledger-full"


@pytest.mark.parametrize("_time", range(5))
def test_a_new_ledger_opened_by_many_at_once(tmp_path, _time):
    start = threading.Barrier(6)

    def opened(_):
        start.wait()
        with Ledger.open(tmp_path) as ledger:
            return ledger.do_now(link_names)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(opened, range(6))) == [[]] * 6


def test_errors_show_no_number_and_no_text(ledger):
    secret = "+34600111222"
    with pytest.raises(IntegrityError) as caught:
        ledger.do_now(
            lambda c: c.execute(
                insert(part).values(message_id=1, part=1, connector=secret, network_id=secret, state="sent", at=NOW),
            ),
        )
    assert secret not in str(caught.value)


def test_times_without_a_zone_are_refused(ledger):
    with pytest.raises(StatementError):
        ledger.do_now(lambda c: c.execute(insert(link).values(connector="x", state="up", at=datetime(2026, 1, 1))))  # noqa: DTZ001


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_keep_their_microseconds_and_their_order(one, other):
    store = Instant()
    kept = [store.process_bind_param(moment, None) for moment in (one, other)]
    assert [store.process_result_value(value, None) for value in kept] == [one, other]
    assert (kept[0] < kept[1]) == (one < other)


def test_times_come_back_in_utc(ledger):
    local = NOW.astimezone(tz=datetime.now().astimezone().tzinfo) + timedelta(hours=1)
    ledger.do_now(lambda c: c.execute(insert(link).values(connector="x", state="up", at=local)) and None)
    at = ledger.do_now(lambda c: c.execute(select(link.c.at)).scalar())
    assert (at, at.tzinfo) == (local, UTC)


def test_only_one_process_holds_the_lease(tmp_path):
    script = (
        "import sys; from pathlib import Path; from xlsms_service.ledger.lease import Lease; "
        "print(Lease(Path(sys.argv[1])).take())"
    )

    def other_process_gets_it():
        run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
        return run.stdout.strip() == "True"

    with Lease(tmp_path) as lease:
        assert lease.held
        assert not other_process_gets_it()
    assert other_process_gets_it()


def test_who_has_the_lease_is_told_without_taking_it(tmp_path):
    assert holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with Lease(tmp_path):
        found = holder(tmp_path)
        assert found is not None
        assert found.pid == os.getpid()
        assert abs(found.since - datetime.now(UTC)) < timedelta(minutes=1)
    assert holder(tmp_path) is None


LOOKER = """
import sys
from pathlib import Path
from xlsms_service.ledger.lease import holder
print("looking", flush=True)
while True:
    holder(Path(sys.argv[1]))
"""


def test_those_who_look_never_keep_a_service_from_starting(tmp_path):
    with Lease(tmp_path):
        pass
    lookers = [
        subprocess.Popen([sys.executable, "-c", LOOKER, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for looker in lookers:
            assert looker.stdout.readline() == b"looking\n"
        for _ in range(500):
            lease = Lease(tmp_path)
            assert lease.take()
            assert holder(tmp_path) is not None
            lease.give_back()
            assert holder(tmp_path) is None
    finally:
        for looker in lookers:
            looker.kill()
            looker.wait()
            looker.stdout.close()


def test_a_reader_neither_waits_for_a_writer_nor_stops_one(ledger, tmp_path):
    ledger.do_now(add_link, "one")
    writing, over = threading.Event(), threading.Event()

    def slow(connection):
        add_link(connection, "two")
        writing.set()
        assert over.wait(60)

    with Reader.open(tmp_path) as reader, ThreadPoolExecutor(1) as pool:
        done = pool.submit(ledger.do_now, slow)
        assert writing.wait(60)
        assert reader.ask(link_names) == ["one"]

        def look(connection):
            before = link_names(connection)
            over.set()
            done.result(60)  # it is written while we read
            return before, link_names(connection)

        assert reader.ask(look) == (["one"], ["one"])
        assert reader.ask(link_names) == ["one", "two"]
        with pytest.raises(OperationalError):
            reader.ask(add_link, "three")


def test_a_reader_brings_a_ledger_up_to_date_first(tmp_path):
    with Reader.open(tmp_path / "new") as reader:
        assert reader.ask(link_names) == []


def test_works_that_wait_together_share_one_commit(ledger):
    commits, begun, go = [], threading.Event(), threading.Event()
    event.listen(ledger._engine, "commit", commits.append)

    def first(_connection):
        begun.set()
        assert go.wait(60)

    futures = [ledger._writer.submit(first)]
    assert begun.wait(60)
    futures += [ledger._writer.submit(lambda c, name=f"net{n}": add_link(c, name)) for n in range(50)]
    go.set()
    for future in futures:
        future.result(60)
    assert len(ledger.do_now(link_names)) == 50
    assert len(commits) == 3  # the first work's, that of all others, and our question's
