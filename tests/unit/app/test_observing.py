"""What those outside learn of a running service, and what they never learn."""

import asyncio
import re
import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from tests.port import free_port
from xlsms import home
from xlsms.workbook import read_rows
from xlsms_service.app import App, live
from xlsms_service.app.counter import Counter
from xlsms_service.app.live import LinkLive, Live, Speed
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings, Watch

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LINK = LinkLive(
    connector="operator", link="up", code=None, breaker="closed", window=50, used=3, limit=None,
    second=12.0, minute=7.5, throttled=0,
)  # fmt: skip


def test_what_one_process_leaves_another_reads(tmp_path):
    assert live.read(tmp_path, NOW) is None
    live.write(tmp_path, Live(at=NOW, links=(LINK,)))
    assert live.read(tmp_path, NOW + timedelta(seconds=2)) == Live(at=NOW, links=(LINK,))
    assert live.read(tmp_path, NOW + timedelta(minutes=1)) is None  # who wrote it has died
    assert (tmp_path / "live.json").stat().st_mode & 0o077 == 0
    live.forget(tmp_path)
    assert live.read(tmp_path, NOW) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": "yesterday", "links": []}', '{"at": 5, "links": [{}]}', "\0"])
def test_a_file_that_is_not_ours_says_nothing(tmp_path, text):
    (tmp_path / "live.json").write_text(text)
    assert live.read(tmp_path, NOW) is None


def test_speed_is_of_the_last_second_and_the_last_minute():
    speed = Speed()
    assert speed.rate(1) == speed.rate(60) == speed.growth(60) == 0
    for second in range(200):
        speed.saw(10 * second if second < 190 else 1900 + 100 * (second - 190), float(second))
    assert speed.rate(1) == 100
    assert speed.rate(60) == pytest.approx((2800 - 1390) / 60)
    assert speed.growth(60) == 2800 - 1390
    assert len(speed._seen) <= 62


def test_counting_takes_a_twentieth_of_the_time_at_most():
    clock, asked = [0.0], []

    class Slow:
        def ask(self, _function):
            asked.append(clock[0])
            clock[0] += 0.5
            return len(asked)

    counter = Counter(Slow(), clock=lambda: clock[0])
    for _ in range(1000):
        counter.count()
        clock[0] += 0.1
    assert 9 <= len(asked) <= 10


def make_list(path, text="Hola {Name}"):
    """Two last digits of a number decide how its phone behaves: these deliver, answer, fail and are off."""
    book = openpyxl.Workbook()
    book.active.append(["Name", "Phone", "Message", "Send", "Status", "Detail", "SMS ID"])
    for number in ("600000001", "600000002", "600000035", "600000027"):
        book.active.append([f"P{number[-2:]}", number, text, "x"])
    book.save(path)


def watching(tmp_path, address):
    return Settings(
        service=ServiceSettings(data=tmp_path / "data", metrics=address),
        watches=(Watch(folder=tmp_path / "watched"),),
        connectors=(ConnectorSettings(name="network", type="simulator", options={"haste": 50}),),
    )


def run_until(settings, ready):
    """Run the service until `ready(app)` gives something, which is returned; and what the service told."""
    events = []

    async def main():
        async with App(settings, on_event=events.append) as app, asyncio.timeout(60):
            task = asyncio.create_task(app.run())
            try:
                while not (found := await asyncio.to_thread(ready, app)):
                    assert not task.done(), task.result()
                    await asyncio.sleep(0.05)
                return found
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(main()), events


def fetched(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as answer:
        return answer.read().decode()


def test_a_service_serves_what_it_does_and_nothing_of_whom_it_writes_to(tmp_path):
    (tmp_path / "watched").mkdir()
    make_list(tmp_path / "watched" / "geheim.xlsx", text="Hola {Name}, geheim")
    address = f"127.0.0.1:{free_port()}"

    wanted = {
        'xlsms_messages{state="delivered"} 2.0',
        'xlsms_messages{state="expired"} 1.0',
        'xlsms_intake_rows_total{result="accepted"} 4.0',
        'xlsms_submitted_parts_total{connector="network"} 4.0',
        'xlsms_answers_total{code="",connector="network",result="accepted"} 4.0',
        'xlsms_receipts_total{connector="network",state="delivered"} 2.0',
        'xlsms_link_up{connector="network"} 1.0',
        'xlsms_answer_seconds_count{connector="network"} 4.0',
        "xlsms_intake_seconds_count 1.0",
        'xlsms_receipt_seconds_count{connector="network"} 4.0',
        "xlsms_lacking_rows 0.0",
    }

    def ready(app):
        text = fetched(address) if app.observer.live else ""
        return text if wanted <= set(text.splitlines()) else None

    text, _ = run_until(watching(tmp_path, address), ready)
    for count in ("xlsms_commit_seconds_count", "xlsms_claim_seconds_count", "xlsms_cell_seconds_count"):
        assert any(line.startswith(f"{count} ") for line in text.splitlines())
    ours = "\n".join(line for line in text.splitlines() if line.startswith("xlsms_"))
    assert not re.search("60000000[12]|6000000(35|27)", ours)
    assert "geheim" not in text.casefold()
    assert str(tmp_path) not in text
    assert live.read(tmp_path / "data", datetime.now(UTC)) is None  # it left


def test_an_address_that_is_taken_stops_nothing(tmp_path):
    (tmp_path / "watched").mkdir()
    make_list(tmp_path / "watched" / "list.xlsx")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        _, events = run_until(
            watching(tmp_path, address), lambda app: app.observer.live and app.observer.live.links[0].link == "up"
        )
    assert [event.error.code for event in events if event.error] == ["metrics-not-served"]


def test_the_same_stands_beside_the_api(tmp_path):
    (tmp_path / "watched").mkdir()

    def ready(_app):
        beacon = home.read_beacon(tmp_path / "data")
        if beacon is None:
            return None
        address = beacon.address.removeprefix("http://")
        request = urllib.request.Request(f"http://{address}/metrics", headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=60)
        caught.value.close()
        return fetched(address), caught.value.code

    (text, refused), _ = run_until(watching(tmp_path, None), ready)
    assert "xlsms_info{" in text
    assert refused == 403


def test_a_connector_that_cannot_tell_its_speed_stops_nothing(tmp_path, monkeypatch, caplog):
    def broken(_self):
        raise ZeroDivisionError

    monkeypatch.setattr("xlsms_service.connectors.simulator.SimulatorConnector.reading", broken)
    (tmp_path / "watched").mkdir()
    path = tmp_path / "watched" / "list.xlsx"
    make_list(path)

    def ready(_app):
        return {row.status for row in read_rows(path)} == {"Delivered", "Failed", "Expired"}

    with caplog.at_level("ERROR"):
        run_until(watching(tmp_path, None), ready)
    assert [record.code for record in caplog.records] == ["log-not-measured"]
