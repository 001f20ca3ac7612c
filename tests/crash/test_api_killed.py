"""The service is killed between any two steps of sending from an open workbook: nothing twice, nothing lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.port import free_port
from tests.settings import settings_text
from tests.unit.api.conftest import applied, snapshot
from xlsms import home
from xlsms.client import Client, Host
from xlsms.client.starting import find
from xlsms.errors import TransientError
from xlsms.model import Role
from xlsms.states import FINAL, State

pytestmark = pytest.mark.crash

GUID = "4c1f0a52-6a1c-4a59-9f3a-0d6f3f0b7a11"
NUMBERS = [f"6000{index:05d}" for index in range(40)]


@pytest.fixture
def network(tmp_path):
    """A simulated network in a process of its own: it remembers what it was given while the service dies."""
    process = subprocess.Popen(
        [sys.executable, "-m", "xlsms_service", "simulate", "smpp", "--port", "0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    port = json.loads(process.stdout.readline())["port"]
    told = []
    ears = threading.Thread(target=lambda: told.extend(map(json.loads, process.stdout)))
    ears.start()

    def all_told():
        """What it has told, once it has ended."""
        process.terminate()
        process.wait(60)
        ears.join(60)
        return told

    yield port, all_told
    all_told()
    process.stdout.close()


@pytest.fixture
def config(tmp_path, network, monkeypatch):
    path = tmp_path / "xlsms.toml"
    here = {"listen": f"127.0.0.1:{free_port()}", "language": "en"}
    path.write_text(settings_text(network[0], watched=None, service=here, name="operator"))
    monkeypatch.setenv("XLSMS_CONFIG", str(path))
    yield path
    beacon = home.read_beacon(tmp_path / "data")
    if beacon is not None and find(tmp_path / "data") is not None:
        os.kill(beacon.pid, signal.SIGTERM)
        ended(beacon.pid)


def ended(pid):
    """Wait until a process of ours has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            if not Path(f"/proc/{pid}").exists():
                return
        time.sleep(0.02)


def kill(data):
    pid = home.read_beacon(data).pid
    os.kill(pid, signal.SIGKILL)
    ended(pid)


def again(step):
    """A step that is repeated until the service answers, as an add-in does."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with Client.connect() as client:
                return step(client)
        except TransientError:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("after", ["plan", "approve", "approve, answer lost", "written", "text"])
def test_killed_after_a_step_it_goes_on(tmp_path, config, network, after):
    data, (_, all_told) = tmp_path / "data", network

    def register(client):
        return client.register(guid=GUID, path=None, name="list.xlsx", host=Host.CALC, language="en")

    def step(name, work):
        made = again(work)
        if after == name:
            kill(data)
        return made

    sheet = snapshot(*NUMBERS, text="Hello {Nombre}", language="en")
    book = again(register)
    plan = step("plan", lambda client: client.plan(book, sheet))
    campaign = step("approve", lambda client: client.send(plan))
    if after == "approve, answer lost":
        kill(data)
        assert again(lambda client: client.send(plan)) == campaign
    told = step("written", lambda client: client.written(campaign, applied(campaign)))
    assert again(lambda client: client.written(campaign, applied(campaign))) == told
    assert told.accepted == len(NUMBERS)
    sent = step("text", lambda client: client.text("600000001", "Bye", key="k" * 16))
    assert again(lambda client: client.text("600000001", "Bye", key="k" * 16)).message == sent.message

    ids = [edit.values[Role.ID] for edit in campaign.edits]
    done = FINAL | {State.SENT, State.UNCERTAIN}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        states = again(lambda client: client.states(ids))
        if all(state.state in done for state in states.values()) and len(states) == len(ids):
            break
        time.sleep(0.1)
    assert {state.state for state in states.values()} <= done
    assert len(states) == len(NUMBERS)
    # Planned again from a sheet that shows nothing of it, not one of them goes a second time.
    assert again(lambda client: client.plan(register(client), sheet)).totals.go == 0
    told_by_network = all_told()
    taken = Counter(event["text"] + event["phone"] for event in told_by_network if event["event"] == "taken")
    assert max(taken.values()) == 1
    # Some phones of the simulated network are refused; the single text is none of the rows.
    refused = {event["phone"] for event in told_by_network if event["event"] == "refused"}
    reached = {event["phone"] for event in told_by_network if event["event"] == "taken" and event["text"] != "Bye"}
    uncertain = sum(state.state is State.UNCERTAIN for state in states.values())
    assert len(reached | refused) + uncertain >= len(NUMBERS)
