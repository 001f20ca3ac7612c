"""Writes the reference of the REST API: `python docs/generate_api.py`.

api.md for people, openapi.json for programs, both from the description that the service makes of itself.
"""

import json
from pathlib import Path
from typing import Any

from xlsms_service.api.app import description

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- Written by docs/generate_api.py: change the code, not this page. -->\n"

INTRO = """\
# REST API

`xlsms run` answers it on this computer, at the address that `listen` [sets](settings.md#service): the add-in and
`xlsms.client` use it, and so may your programs. [openapi.json](openapi.json) describes every body (OpenAPI 3.1).

- **Where.** `service.json` in the data folder names the address while the service runs.
- **Who.** Every request but `hello` carries `Authorization: Bearer TOKEN`. The token stands in the file `token` in the
  data folder, which only you can read; delete the file and start the service anew to get another. Before you send the
  token, `hello` lets the other side prove that it knows it: the proof is the HMAC-SHA-256 of your challenge, in hex.
- **From where.** Only from this computer, under the name that it listens on. Requests that a page of another site makes
  in your browser are refused by their `Origin`; names that somebody lets point to your computer, by their `Host`.
- **Errors** are `application/problem+json` (RFC 9457). `code` is one of [these](errors.md); `kind` says what to do:
  `user` mend it, `transient` try again, `permanent` give up, `uncertain` never repeat it unasked. What is no
  HTTP at all (two `Host` headers, TLS) gets a bare 400 in plain text from the server beneath.
- **Once.** A text carries a `key` of yours: the same key again is the same message, whatever came between. A plan is
  approved once: its approval again gives the same campaign.
- **Numbers and texts** stand in bodies only, never in addresses; the service logs neither.
- **Changes.** `cursor` is the number of the last line of a log that the ledger keeps of all that becomes durable.
  Ask with it, and nothing is missed; ask with an older one, and you are told again how things stand.

## Sending from an open workbook

1. `POST /v1/workbooks` says that it is open, and again every `beat` seconds. Until it is closed or silent for three
   beats, the service does not write into its file.
2. `POST /v1/plans` with the rows: what would go, and what not and why.
3. `POST /v1/campaigns` with the plan's id and hash: the cells to write. Nothing goes yet.
4. Write them, and tell with `POST /v1/campaigns/{campaign}/written` which ids stand in the sheet: these go.
5. `POST /v1/changes`, or the stream `GET /v1/events`, for states and replies.

If anything breaks between two of these steps, begin again with 2: rows whose ids stand in the sheet are known by them,
and rows that lost them by what they say. [Why that is so](../decisions/0140-open-workbooks.md).

## Addresses
"""


def document() -> dict[str, Any]:
    """What the service says of itself."""
    made: dict[str, Any] = json.loads(description())
    return made


def page() -> str:
    """Every address: what it is for, what it takes and gives."""
    described = document()
    parts = [MADE, INTRO]
    for path, methods in described["paths"].items():
        for method, said in methods.items():
            parts.append(f"### {said['summary']}\n\n`{method.upper()} {path}`\n\n{said['description']}\n")
            taken = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            given = said["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
            if taken:
                parts.append(f"Takes {_fields(taken, described)}\n")
            if query := [it["name"] for it in said.get("parameters", ()) if it["in"] in ("query", "header")]:
                parts.append("Takes " + ", ".join(f"`{name}`" for name in query) + ".\n")
            if given:
                parts.append(f"Gives {_fields(given, described)}\n")
    return "\n".join(parts)


def _fields(schema: dict[str, Any], described: dict[str, Any]) -> str:
    """The fields of a body; those that may be left out in italics."""
    found = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    needed = found.get("required", ())
    return ", ".join(f"`{name}`" if name in needed else f"*`{name}`*" for name in found["properties"]) + "."


def main() -> None:
    """Write both."""
    (FOLDER / "api.md").write_text(page(), "utf-8")
    (FOLDER / "openapi.json").write_text(description(), "utf-8")


if __name__ == "__main__":
    main()
