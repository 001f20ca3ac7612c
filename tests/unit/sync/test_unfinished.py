"""A list that another program is still writing into a watched folder, in pieces and with pauses."""

import asyncio

import pytest

from tests.workbooks import packed, parts, people
from xlsms.errors import XlsmsError
from xlsms.workbook.opening import FileWorkbook
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.sync.folder import Folder
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.watch import Watcher

WHOLE = packed(parts(people()))
PIECES = (b"", bytes(len(WHOLE)), WHOLE[:100], WHOLE[:-60], WHOLE[:-60] + bytes(60))


class Scene:
    def __init__(self, folder):
        self.path = folder / "list.xlsx"
        self.ledger = Ledger.open(folder / "ledger")
        self.thread = WorkbookThread()
        self.taken, self.told, self.later = [], [], 0.0
        self.folder = Folder(
            folder,
            ledger=self.ledger,
            thread=self.thread,
            open_workbook=FileWorkbook,
            take=self.take,
            problem=lambda path, error: self.told.append((path.name, error.code)),
            clock=lambda: self.path.stat().st_ctime + self.later,
        )

    async def take(self, path):
        self.taken.append(path.read_bytes())

    def look(self, content=None, later=0.0):
        """What comes of one look; None when all is well."""
        self.later = later
        if content is not None:
            self.path.write_bytes(content)

        async def looked():
            try:
                await self.folder.look(self.path)
            except XlsmsError as error:
                return type(error).__name__, error.code
            return None

        return asyncio.run(looked())


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.thread.close()
    made.ledger.close()


@pytest.mark.parametrize("piece", PIECES)
def test_a_file_that_has_no_end_yet_is_waited_for_and_read_when_it_is_whole(scene, piece):
    assert scene.look(piece) == ("TransientError", "file-incomplete")
    assert scene.look(later=60.0) == ("TransientError", "file-incomplete")
    assert scene.look(WHOLE) is None
    assert scene.taken == [WHOLE]


@pytest.mark.parametrize("piece", PIECES)
def test_what_stays_without_an_end_is_damaged_and_read_when_it_is_saved_again(scene, piece):
    assert scene.look(piece, later=600.0) == ("UserError", "file-damaged")
    assert scene.look(later=700.0) is None  # as wrong as it was: nothing new to tell
    assert scene.look(WHOLE) is None
    assert scene.taken == [WHOLE]


def test_it_is_told_once_while_it_is_waited_for(scene):
    scene.path.write_bytes(WHOLE[:-60])
    looks = []

    async def look(path):
        looks.append(path)
        if len(looks) == 3:
            path.write_bytes(WHOLE)
        await scene.folder.look(path)

    async def watched():
        watcher = Watcher([scene.path.parent], look, told=scene.folder._tell)  # what `watch` gives it
        running = asyncio.create_task(watcher.run())
        async with asyncio.timeout(60):
            while not scene.taken:
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xlsms_service.sync.watch._RETRY", 0.05)
        asyncio.run(watched())
    assert scene.taken == [WHOLE]
    assert scene.told == [("list.xlsx", "file-incomplete")]
