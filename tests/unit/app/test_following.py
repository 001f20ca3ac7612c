"""A send that waits: for a workbook that somebody has open, whose it is, and for how long."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.app.test_app import make_list, settings_for
from xlsms.errors import TransientError, UserError
from xlsms.states import State
from xlsms_service.app import App, Patience, following
from xlsms_service.app.following import when_free

MARIA, PEPE = (TransientError("file-open-elsewhere", owner=name, application="Excel") for name in ("María", "Pepe"))


class Scene:
    """A workbook that answers each try in turn, and a clock that only pauses move."""

    def __init__(self, *answers):
        self.answers, self.time, self.told = list(answers), 0.0, []

    async def act(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(self, seconds):
        self.time += seconds

    def wait(self, **patience):
        told = lambda error: self.told.append(error.facts["owner"])  # noqa: E731 - short
        waiting = when_free(self.act, Patience(**patience), told, pause=self.pause, clock=lambda: self.time)
        return asyncio.run(waiting)


def test_an_open_workbook_is_waited_for_and_its_owner_told_once():
    scene = Scene(MARIA, MARIA, PEPE, PEPE, "done")
    done, left = scene.wait(timeout=timedelta(seconds=20))
    assert (done, left.timeout, scene.told) == ("done", timedelta(seconds=16), ["María", "Pepe"])


def test_it_is_waited_for_no_longer_than_was_asked():
    scene = Scene(*[MARIA] * 10)
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        scene.wait(timeout=timedelta(seconds=2.5))
    assert (scene.time, scene.told) == (2.5, ["María"])


@pytest.mark.parametrize("error", [TransientError("no-link"), UserError("file-read-only")])
def test_nothing_else_is_waited_for(error):
    scene = Scene(error)
    with pytest.raises(type(error), match=error.code):
        scene.wait()
    assert scene.time == 0


def test_who_does_not_wait_hears_at_once():
    scene = Scene(MARIA)
    with pytest.raises(TransientError):
        scene.wait(wait=False)
    assert (scene.time, scene.told) == (0, [])


def test_a_send_goes_on_when_the_workbook_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "_AGAIN", 0.01)
    path, lock = make_list(tmp_path / "list.xlsx", ["600000001"]), tmp_path / "~$list.xlsx"
    lock.write_bytes(b"\x05Maria" + bytes(159))
    told = []

    def happened(event):
        if event.kind == "problem":
            told.append((event.error.code, event.error.facts["owner"]))
            lock.unlink()

    async def main():
        async with App(settings_for(tmp_path), on_event=happened) as service, asyncio.timeout(60):
            return await service.send(path, patience=Patience())

    report = asyncio.run(main())
    assert report.by_state == {State.DELIVERED: 1}
    assert told == [("file-open-elsewhere", "Maria")]
