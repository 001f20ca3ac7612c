"""Runs in a process of its own: takes the password off one file and prints what is inside.

On standard input comes a list of passwords (JSON), tried in their order.
"""

import io
import json
import sys
from collections.abc import Sequence

from xlsms.workbook.bounds import TOO_COSTLY, UNREADABLE, WRONG_PASSWORD, limit


def unlock(path: str, passwords: Sequence[str]) -> int:
    """Print the content if one of the passwords fits."""
    from msoffcrypto import OfficeFile  # noqa: PLC0415 - after the limits
    from msoffcrypto.exceptions import DecryptionError, InvalidKeyError  # noqa: PLC0415

    with open(path, "rb") as file:  # noqa: PTH123 - no path is needed here
        for password in passwords:
            office = OfficeFile(file)
            try:
                if office.format == "ooxml":
                    office.load_key(password=password, verify_password=True)
                else:
                    office.load_key(password=password)  # the older formats always verify
                content = io.BytesIO()
                office.decrypt(content)
            except (InvalidKeyError, DecryptionError) as error:
                sys.stderr.write(f"{type(error).__name__}: {error}"[:200])
                continue
            sys.stdout.buffer.write(content.getbuffer())
            return 0
    return WRONG_PASSWORD


def main(arguments: Sequence[str]) -> int:
    """`memory seconds path`."""
    memory, seconds, path = arguments
    limit(int(memory), int(seconds))
    try:
        return unlock(path, json.load(sys.stdin))
    except MemoryError:
        return TOO_COSTLY
    except Exception as error:  # noqa: BLE001 - the library raises what it likes on a broken file
        sys.stderr.write(f"{type(error).__name__}: {error}"[:200])
        return UNREADABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
