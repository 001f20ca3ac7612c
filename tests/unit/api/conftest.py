"""A whole service with a simulated network, in a thread of this process, and its client."""

import asyncio
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from xlsms import home
from xlsms.client import Client, Host
from xlsms.client.starting import find
from xlsms.model import Role, Row
from xlsms.workbook.base import Applied, Sheet, Snapshot, Version
from xlsms_service.app import App
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings, Watch

GUID = "4c1f0a52-6a1c-4a59-9f3a-0d6f3f0b7a11"
VERSION = Version(size=0, mtime_ns=0, inode=0, directory="")


def snapshot(*numbers, text="Hola {Nombre}", marked=True, language="es"):
    """An open sheet with a row for each number."""
    sheet = Sheet(name="Lista", header_row=1, columns={Role.PHONE: "B"}, headers={"A": "Nombre", "B": "Teléfono"})
    rows = tuple(
        Row(
            sheet="Lista", number=at, phone=number, message=text, marked=marked,
            fields={"Nombre": f"P{at}"}, values={"Nombre": f"P{at}"},
        )
        for at, number in enumerate(numbers, 2)
    )  # fmt: skip
    return Snapshot(path=Path("x"), version=VERSION, guid=None, language=language, sheets=(sheet,), rows=rows)


def applied(campaign, done=None):
    """All edits were written, or those that are said to be."""
    edits = campaign.edits if done is None else done
    return Applied(before=VERSION, version=VERSION, done=tuple(edits))


class Office:
    """A running service."""

    def __init__(self, data, client):
        self.data = data
        self.client = client
        self.address = home.read_beacon(data).address
        self.token = home.read_token(data)

    @property
    def host(self):
        return self.address.removeprefix("http://")

    def http(self, **headers):
        """A client that says nothing but what it is told to."""
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False, timeout=60)

    def authorized(self, **headers):
        return self.http(Authorization=f"Bearer {self.token}", **headers)

    def book(self, path=None, guid=GUID):
        return self.client.register(guid=guid, path=path, name="lista.xlsx", host=Host.EXCEL, language="es")

    def changes(self, book, since, until, seconds=60):
        """All changes since then, once `until` is true of them."""
        states, deadline = {}, time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.client.changes(book, since=since, wait=1)
            since = found.cursor
            states |= {state.row_id: state for state in found.states}
            if until(states):
                return states
        raise AssertionError(f"it did not come to that: {states}")


@contextmanager
def running(folder, *, watch=None, prices=None, more=(), routes=(), **service):
    """A service with its data in `folder`."""
    settings = Settings(
        service=ServiceSettings(**({"data": folder / "data", "listen": "127.0.0.1:0", "language": "es"} | service)),
        watches=(Watch(folder=watch),) if watch else (),
        connectors=(
            ConnectorSettings(name="network", type="simulator", options={"haste": 50}, prices=prices or {}),
            *(ConnectorSettings(name=name, type="simulator", options={"haste": 50}) for name in more),
        ),
        routes=routes,
    )
    loop, ready, failed = asyncio.new_event_loop(), threading.Event(), []
    tasks = []

    async def serve():
        tasks.append(asyncio.current_task())
        ready.set()
        async with App(settings) as app:
            await app.run()

    def work():
        try:
            loop.run_until_complete(serve())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001  # told to whoever waits
            failed.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    data = settings.service.data
    try:
        ready.wait(60)
        deadline = time.monotonic() + 60
        while (found := find(data)) is None and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        if failed:
            raise failed[0]
        with Client(found) as client:
            yield Office(data, client)
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(tasks[0].cancel)
        thread.join(60)
        if failed:
            raise failed[0]


@pytest.fixture
def office(tmp_path):
    with running(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One service for tests that leave nothing behind."""
    with running(tmp_path_factory.mktemp("shared")) as made:
        yield made
