"""`xlsms inbox` and `reply`, with and without a running service."""

import time

import pytest

from tests.unit.api.conftest import running

SETTINGS = '[service]\ndata = "data"\n[[connector]]\nname = "network"\ntype = "simulator"\nhaste = 50\n'


@pytest.fixture
def settings(tmp_path, monkeypatch):
    (tmp_path / "xlsms.toml").write_text(SETTINGS)
    monkeypatch.setenv("XLSMS_CONFIG", str(tmp_path / "xlsms.toml"))


def test_an_empty_inbox_says_so(xlsms, settings):
    assert "Nothing has come in yet." in xlsms("inbox").out
    assert xlsms("inbox", "--json").figures == {"texts": []}


def test_without_a_service_the_command_sends_the_answer_itself(xlsms, settings):
    run = xlsms("reply", "600000001", "Thank you", "--json")
    assert run.code == 0
    assert run.figures["handed_over"] is False
    assert sum(run.figures["states"].values()) == 1


def test_a_running_service_sends_the_answer_and_what_came_back_is_in_the_inbox(xlsms, settings, tmp_path):
    with running(tmp_path, language="en") as office:
        run = xlsms("reply", "600 000 001", "Thank you")
        assert "Taken over by the running service: +34600000001" in run.out
        assert xlsms("reply", "600000001", "Bye", "--json").figures["handed_over"] is True
        wrong = xlsms("reply", "6000", "Thank you")
        assert wrong.code == 2
        assert "[number-too-short]" in wrong.complaint
        deadline = time.monotonic() + 60
        while not office.client.inbox() and time.monotonic() < deadline:
            time.sleep(0.05)
        (newest,) = xlsms("inbox", "--limit", "1", "--json").figures["texts"]
        assert newest["number"] == "+34600000001"
        shown = xlsms("inbox").out
    assert "+34600000001" in shown
    assert newest["text"] in shown
