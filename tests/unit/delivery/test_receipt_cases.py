"""Every case of the reference page of receipts, played on a ledger: what comes in is what an SMSC would send."""

import importlib.util
import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from xlsms.model import Inbound, Outcome, PartKey, Result
from xlsms.states import State
from xlsms.text import split
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.answer import accepted
from xlsms_service.connectors.smpp.incoming import DeliverReader
from xlsms_service.delivery import late, outcome, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import acceptance, claim, uncertain
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, waiting_receipt
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.pdu import DeliverSm
from xlsms_service.protocols.smpp.receipt import candidates

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PHONE = "+34600111222"
LONG = "A long text that does not fit into one SMS, " * 40
SPANS = {"h": "hours", "d": "days"}
#: What an answer says that is no id.
ENDS = {"refused": Result.REFUSED, "returned": Result.RETURNED, "lost": Result.UNCERTAIN}


def cases():
    groups = tomllib.loads((Path(__file__).parent / "receipt_cases.toml").read_text("utf-8"))["group"]
    for group in groups:
        for case in group["case"]:
            yield pytest.param(case, id=f"{group['title']}: {case['case']}")


class Player:
    """A ledger with one connector, and the messages by their letters."""

    def __init__(self, ledger, settings):
        self.ledger = ledger
        settings = SmppSettings(host="h", **settings)
        self.id_form = settings.id_form
        self.reader = DeliverReader("c", settings)
        self.other = DeliverReader("other", settings)
        self.now = NOW
        self.keys = {}
        self.texts = 0
        self.goes = {}  # how often each was handed over

    def do(self, function, *arguments, **more):
        return self.ledger.do_now(function, *arguments, **more)

    def play(self, step):
        verb = next(iter(step))
        getattr(self, f"_{verb}")(**step)

    def _go(self, go, parts=1, to=PHONE, text=None):
        if go not in self.keys:
            text = text or (f"{go}: see you at nine" if parts == 1 else LONG)
            if parts > 1:
                text = "".join(split(text, limit=None).parts[:parts])
                assert len(split(text, limit=None).parts) == parts
            draft = Draft(number=to, text=text, alphabet="gsm7", parts=parts, fingerprint="f", route="")
            self.keys[go] = self.do(acceptance.accept_text, draft, self.now)
        self.now += timedelta(seconds=5)  # what came back has waited long enough
        claimed = self.do(claim.claim, connector="c", routes=[""], room=255, idle=True, now=self.now)
        assert [each.id for each in claimed] == [self.keys[go]]
        self.goes[go] = claimed[0]

    def _answer(self, answer, id):  # noqa: A002 - the file's word
        outcomes = self._outcomes(answer, id)
        claimed = self.goes[answer]
        whole = Answered(
            self.keys[answer],
            tuple(outcomes),
            resumed=bool(claimed.taken),
            tries=claimed.tries,
            number=claimed.number,
        )
        self.do(outcome.settle, "c", [whole], candidates, self.now)

    def _late(self, **step):
        self.do(late.settle, "c", self._outcomes(step["late"], step["id"]), candidates, self.now)

    def _outcomes(self, letter, words):
        outcomes = []
        for number, word in enumerate(words.split() or [""], 1):
            key = PartKey(self.keys[letter], number)
            if word in ENDS:
                outcomes.append(Outcome(key, ENDS[word], self.now, code=f"code-{word}"))
            elif word != "-":
                outcomes += accepted([(key, word)], self.now, self.id_form)
        return outcomes

    def _report(self, report, tags=(), to="5500", ton=1, esm=4, over="c", **more):
        tlvs, source = {}, more.get("from", "34600111222")
        if "id" in tags:
            tlvs[Tag.RECEIPTED_MESSAGE_ID] = tags["id"].encode() + b"\0"
        if "state" in tags:
            tlvs[Tag.MESSAGE_STATE] = bytes([tags["state"]])
        form = more.get("in", "")
        octets = report.encode("utf-16-be") if "ucs2" in form else report.encode()
        if form == "payload":
            tlvs[Tag.MESSAGE_PAYLOAD], octets = octets, b""
        pdu = DeliverSm(
            sequence=1, source_addr_ton=ton, source_addr=source, dest_addr_ton=1, destination_addr=to, esm_class=esm,
            data_coding=8 if form == "ucs2" else 0, short_message=octets, tlvs=tlvs,
        )  # fmt: skip
        self.now += timedelta(seconds=1)
        came = (self.reader if over == "c" else self.other).read(pdu, self.now)
        if isinstance(came, Inbound):
            self.texts += 1
        else:
            self.do(receipt.settle, over, [came], candidates, self.now)

    def _crash(self, crash):
        """The service dies; the next one looks at what it finds."""
        self.do(claim.recover, self.now)
        self._look()

    def _look(self, look=True):  # noqa: FBT002 - the file's word
        self.do(receipt.settle_lost, "c", candidates, self.now)

    def _pass(self, **more):
        [span] = more.values()
        self.now += timedelta(**{SPANS[span[-1]]: int(span[:-1])})

    def _hand(self, hand, **more):
        verdict = uncertain.Verdict(more["as"])
        assert self.do(uncertain.settle, [self.keys[hand]], verdict, self.now, timedelta(days=2)) == 1

    def rows(self):
        found = self.do(lambda c: {row.id: row for row in c.execute(select(message))})
        return {letter: found[key] for letter, key in self.keys.items()}

    def waiting(self):
        return self.do(lambda c: len(c.execute(select(waiting_receipt)).all()))


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A ledger to copy: making one takes longer than a case."""
    folder = tmp_path_factory.mktemp("empty")
    Ledger.open(folder).close()
    return folder / "ledger.sqlite3"


@pytest.mark.parametrize("case", list(cases()))
def test_case(case, empty, tmp_path):
    shutil.copy(empty, tmp_path)
    steps, ends = case.get("steps"), case["then"]
    if steps is None:
        said = {
            key: value for key, value in case.items() if key in ("report", "tags", "from", "to", "ton", "esm", "in")
        }
        steps = [{"go": "A"}, {"answer": "A", "id": case["answer"]}, said]
        ends = {"A": ends}
    with Ledger.open(tmp_path) as ledger:
        player = Player(ledger, case.get("settings", {}))
        for step in steps:
            player.play(step)
        rows = player.rows()
        assert {letter: row.state for letter, row in rows.items()} == ends
        assert set(ends.values()) <= set(State)
        if "why" in case:
            assert rows["A"].code == case["why"]
        if "waits" in case:
            assert player.waiting() == case["waits"]
        assert player.texts == case.get("texts", 0)


def test_the_reference_page_is_of_these_cases():
    spec = importlib.util.spec_from_file_location("generate_receipts", ROOT / "docs" / "generate_receipts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "reference" / "receipts.md").read_text("utf-8")
    assert page == module.page(), "run: python docs/generate_receipts.py"
    assert page.count("\n| ") > 100
