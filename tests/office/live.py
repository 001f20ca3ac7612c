"""A LibreOffice of the tests' own, with xlwings speaking to it through the engine of the product."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
import xlwings as xw

from xlsms.addin.calc.engine import register
from xlsms.addin.calc.guard import Guard
from xlsms.addin.calc.link import Link, properties, uno
from xlsms.errors import TransientError, UserError


class Live:
    """An office with a profile and a pipe of its own: headless, or with `boxes`, its windows on a screen in memory."""

    def __init__(self, profile: Path, *, boxes: bool = False):
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        if shutil.which("soffice") is None:
            give_up("LibreOffice is not here")
        try:
            uno()
        except UserError as error:  # another Python than the one that LibreOffice's module is for
            give_up(str(error))
        self.pipe = f"pipe,name=xlsms{uuid.uuid4().hex}"
        self._office = subprocess.Popen(
            [
                "soffice", *([] if boxes else ["--headless", "--invisible"]), "--norestore", "--nologo", "--nodefault",
                f"-env:UserInstallation={profile.as_uri()}", f"--accept={self.pipe};urp;",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **({"SAL_USE_VCLPLUGIN": "svp"} if boxes else {})},
        )  # fmt: skip
        self.link = self._connected()
        self.guard = Guard(strict=True)
        self.engine = register(self.link, guard=self.guard)

    def _connected(self):
        deadline = time.monotonic() + 90
        while True:
            try:
                return Link(self.pipe)
            except TransientError:
                if time.monotonic() > deadline or self._office.poll() is not None:
                    raise
                time.sleep(0.1)

    def open(self, path: Path, **more):
        """The user opens a workbook; its document."""
        document = self.link.desktop.loadComponentFromURL(
            uno().systemPathToFileUrl(str(path)), "_blank", 0, properties(MacroExecutionMode=0, **more)
        )
        assert document is not None, path
        return document

    def document(self, path: Path):
        """The document of an open file."""
        url = uno().systemPathToFileUrl(str(path.resolve()))
        return next(document for document in self.link.documents() if url == document.URL)

    def close_all(self):
        """The user closes everything and saves nothing."""
        for document in list(self.link.documents()):
            document.close(True)

    def kill(self):
        """The office is gone at once."""
        os.killpg(self._office.pid, signal.SIGKILL)  # what was started is only the parent of the office

    def end(self):
        """The office goes."""
        with contextlib.suppress(Exception):  # it may be gone already
            self.close_all()
        with contextlib.suppress(Exception):  # the bridge breaks while the answer is on its way
            self.link.desktop.terminate()
        self._office.wait(120)
        xw.engines.engines.remove(self.engine)
        xw.engines.engines_by_name.pop(self.engine.name)
        xw.engines.active = None
