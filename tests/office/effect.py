"""Stands where the interpreter stands: takes what the launcher hands over and does something that can be seen.

`xlsms.addin.run` is the shipped way in; only the commands are of the test. Run by a Python that has LibreOffice's `uno`.
"""

import os
import sys
from pathlib import Path

import uno

HERE = Path(__file__)
sys.path.insert(0, str(HERE.parents[2]))
from xlsms.addin import Verb  # noqa: E402
from xlsms.addin.run import run  # noqa: E402


class Commands:
    """Writes the request into the workbook that asked, below what stands there, and into a file."""

    def __init__(self, address, log):
        self.log = log
        context = uno.getComponentContext()
        resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
        remote = resolver.resolve(address)
        self.desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        self.COMMANDS = dict.fromkeys(Verb, self.write)

    def write(self, request):
        documents = self.desktop.Components.createEnumeration()
        while documents.hasMoreElements():
            document = documents.nextElement()
            # one that another test has just closed has no address any more
            if request.book and uno.systemPathToFileUrl(request.book) == getattr(document, "URL", None):
                page = document.Sheets.getByIndex(0)
                cursor = page.createCursor()
                cursor.gotoEndOfUsedArea(False)
                row = cursor.RangeAddress.EndRow + 1
                rows = ",".join(f"{first}:{last}" for first, last in request.rows)
                facts = (request.verb, request.name, request.sheet or "", rows, request.cell or "", request.language)
                page.getCellRangeByPosition(0, row, len(facts) - 1, row).setDataArray((tuple(map(str, facts)),))
        with self.log.open("a") as stream:
            stream.write(f"{request.verb}\t{request.book}\t{request.news}\n")

    def complain(self, request, error):
        with self.log.open("a") as stream:
            stream.write(f"{error}\n")


if __name__ == "__main__":
    address, log, *given = sys.argv[1:]
    if given[:3] != ["-I", "-m", "xlsms.addin"]:
        sys.exit(f"not the command of the launcher: {given}")
    sys.exit(run(given[3:], os.environ, Commands(address, Path(log))))
