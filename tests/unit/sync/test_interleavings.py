"""An open workbook and the watcher on its file, in every order that decision 140 lists: one order, one message."""

import asyncio
import copy
import tempfile
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.unit.sync.table import PATH, Desk, Table
from xlsms.client import wire
from xlsms.errors import TransientError, UserError
from xlsms.model import Role
from xlsms.states import State
from xlsms.workbook.base import Placed
from xlsms_service.ledger import campaign, live
from xlsms_service.ledger.live import Opened
from xlsms_service.planning import Terms
from xlsms_service.sync.live import Asked, LiveIntake

GUID = "4c1f0a52-6a1c-4a59-9f3a-0d6f3f0b7a11"


@asynccontextmanager
async def _alone():
    yield


class World:
    """A file, perhaps watched; the same workbook open in a spreadsheet; the ledger between them."""

    def __init__(self, folder, guid=GUID):
        self.desk = Desk(folder)
        self.ledger = self.desk.ledger
        self.desk.writeback._now = lambda: self.desk.now
        self.file = self.desk.table()
        self.file.guid = guid
        self.guid = guid or GUID
        self.open = None
        self.book = None
        self.intake = LiveIntake(
            self.ledger,
            alone=_alone,
            terms=lambda hidden: Terms(hidden=hidden),
            route=lambda *_: "",
            now=lambda: self.desk.now,
            rng=Random(7),
        )

    # The user.

    def open_it(self):
        self.open = Table(PATH)
        self.open.rows = copy.deepcopy(self.file.rows)
        self.beat()
        return self

    def beat(self):
        version = self.file.version()
        opened = Opened(guid=self.guid, path=PATH, name=PATH.name, host="excel", language="es",
                        file=f"{version.size}:{version.mtime_ns}")  # fmt: skip
        self.book = self.ledger.do_now(live.register, opened, now=self.desk.now, exists=lambda _: True).id

    def save(self, *, guid=True):
        self.file.rows = copy.deepcopy(self.open.rows)
        self.file.saves += 1
        if guid:
            self.file.guid = self.guid

    def close_it(self):
        version = self.file.version()
        self.ledger.do_now(live.close, self.book, f"{version.size}:{version.mtime_ns}", self.desk.now)
        self.open = None

    # The add-in.

    def plan(self):
        rows = [wire.row(row) for row in self.open.read().rows if row.marked or row.id]
        sheets = [wire.sheet(sheet) for sheet in self.open.read().sheets]
        asked = Asked(book=self.book, language="es", hidden=False, sheets=sheets, rows=rows)
        return asyncio.run(self.intake.plan(asked))

    def approve(self, plan):
        return asyncio.run(self.intake.approve(plan.id, plan.plan.hash))

    def write(self, answer, sheet=None):
        edits = [wire.read_edit(edit) for edit in answer["edits"]]
        applied = (sheet or self.open).apply(edits)
        given = {edit.values.get(Role.ID) for edit in edits} - {None}
        done = {edit.values.get(Role.ID) for edit in applied.done} & given
        return sorted(done), sorted(given - done)

    def tell(self, answer, done, refused):
        told = self.intake.written(answer["id"], done=done, refused=refused, standing=[])
        return asyncio.run(told)

    def send(self):
        answer = self.approve(self.plan())
        return self.tell(answer, *self.write(answer))

    # The watcher, and the network.

    def take(self):
        return self.desk.take()

    def left(self):
        """What the network has been given, ever."""
        self.desk.claim()
        return [(each.number, each.text) for each in self.desk.messages() if each.state == State.SENDING]

    def rows(self, table=None):
        return [(row[Role.ID], row[Role.SEND], row.get(Role.STATUS)) for row in (table or self.file).rows]


ONE = [("+34600111222", "hola")]


@pytest.fixture(params=["guid", "no guid"])
def world(tmp_path, request):
    made = World(tmp_path, guid=GUID if request.param == "guid" else None)
    made.file.add("600111222")
    yield made.open_it()
    made.desk.close()


def test_saved_after_all_there_is_nothing_to_do(world):
    world.send()
    world.save()
    world.close_it()
    assert world.take().accepted == 0
    assert world.left() == ONE
    assert [message.unsaved for message in world.desk.messages()] == [False]


def test_closed_without_saving_the_row_is_known_by_what_it_says(world):
    world.send()
    assert world.left() == ONE
    row_id = world.open.rows[0][Role.ID]
    world.close_it()
    taken = world.take()
    assert (taken.accepted, taken.earlier) == (0, 1)
    assert world.rows() == [(row_id, None, "Enviando")]
    assert world.left() == ONE
    assert world.take().earlier == 0


def test_saved_before_and_closed_without_saving(world):
    world.save()
    world.beat()
    test_closed_without_saving_the_row_is_known_by_what_it_says(world)


def test_days_later_it_is_still_known(world):
    world.send()
    world.left()
    world.close_it()
    world.desk.now += timedelta(days=3)
    assert world.take().earlier == 1
    assert world.left() == ONE


@pytest.mark.parametrize("late", [False, True])
def test_stopped_after_the_approval_the_watcher_sends_the_proposal(world, late):
    answer = world.approve(world.plan())
    told = world.write(answer)
    assert world.left() == []
    world.close_it()
    world.take()
    assert world.left() == ONE
    if late:
        world.tell(answer, *told)
    assert world.left() == ONE
    assert len(world.desk.messages()) == 1


def test_saved_with_an_id_that_nobody_told_of(world):
    world.write(world.approve(world.plan()))
    world.save()
    world.close_it()
    world.take()
    assert world.left() == ONE


def test_an_add_in_that_died_before_it_told_goes_on_with_the_ids_that_stand(world):
    world.write(world.approve(world.plan()))
    assert world.left() == []
    world.approve(world.plan())
    assert world.left() == ONE
    assert len(world.desk.messages()) == 1


def test_ids_that_nobody_told_of_are_asked_about_and_go_when_they_stand(world):
    answer = world.approve(world.plan())
    world.write(answer)
    assert world.ledger.do_now(live.unconfirmed, world.book, world.desk.now) == []
    later = world.desk.now + timedelta(minutes=1)
    assert world.ledger.do_now(live.unconfirmed, world.book, later) == answer["drafts"]
    asyncio.run(world.intake.seen(world.book, answer["drafts"]))
    assert world.left() == ONE
    assert world.ledger.do_now(live.unconfirmed, world.book, later) == []


def test_the_same_approval_again_gives_the_same_ids(world):
    plan = world.plan()
    assert world.approve(plan) == world.approve(plan)
    assert len(world.desk.messages()) == 1


def test_a_new_plan_takes_the_proposal_that_was_lost_on_the_way(world):
    first, second = world.approve(world.plan()), world.approve(world.plan())
    assert second["again"] == first["drafts"]
    world.tell(second, *world.write(second))
    assert world.left() == ONE


def test_two_add_ins_at_once_send_one_message(world):
    first = world.approve(world.plan())
    second = world.approve(world.plan())
    one, other = world.write(first), world.write(second)
    world.tell(second, *other)
    world.tell(first, *one)
    assert world.left() == ONE


def test_undone_in_the_open_sheet_it_is_not_sent_again(world):
    before = copy.deepcopy(world.open.rows)
    world.send()
    world.left()
    world.open.rows = before
    plan = world.plan()
    assert plan.plan.entries == ()
    assert [found.state for _, found in plan.earlier] == [State.SENDING]
    answer = world.approve(plan)
    world.tell(answer, *world.write(answer))
    assert world.rows(world.open)[0][1:] == (None, "Enviando")
    assert world.left() == ONE


def test_undone_marked_anew_it_is_sent_again(world):
    test_undone_in_the_open_sheet_it_is_not_sent_again(world)
    world.open.rows[0][Role.SEND] = "x"
    world.desk.move(world.desk.messages()[0].id, State.SENT)
    world.send()
    assert len(world.desk.claim()) == 1


def test_a_file_that_was_written_while_it_was_open_is_known_in_the_sheet(world):
    world.ledger.do_now(live.close, world.book, None, world.desk.now)  # nobody has said that it is open
    world.take()
    world.beat()
    plan = world.plan()
    assert [found.row_id for _, found in plan.earlier] == [world.file.rows[0][Role.ID]]
    world.tell(answer := world.approve(plan), *world.write(answer))
    assert world.left() == ONE


def test_while_it_is_open_the_file_is_left_alone_until_it_is_closed_or_silent(world):
    with pytest.raises(TransientError, match="workbook-live"):
        world.take()
    world.desk.now += timedelta(seconds=80)
    world.beat()
    world.desk.now += timedelta(seconds=80)
    with pytest.raises(TransientError, match="workbook-live"):
        world.take()
    world.desk.now += timedelta(seconds=20)
    assert world.take().accepted == 1


def test_what_changes_while_it_is_open_is_written_when_it_is_closed(world):
    world.send()
    world.save()
    (claimed,) = world.desk.claim()
    world.desk.move(claimed.id, State.SENT)
    world.desk.write_back()
    assert world.rows()[0][2] == "En cola"
    world.close_it()
    world.desk.now += timedelta(seconds=3)
    world.desk.writeback._paces.clear()
    world.desk.write_back()
    assert world.rows()[0][2] == "Enviado"


def test_marked_anew_and_closed_without_saving(world):
    world.send()
    world.save()
    world.left()
    (first,) = world.desk.messages()
    world.desk.move(first.id, State.SENT)
    world.open.rows[0][Role.SEND] = "x"
    world.save()
    world.send()
    assert len(world.left()) == 1
    world.close_it()
    assert world.take().earlier == 1
    assert world.left() == ONE
    assert len(world.desk.messages()) == 2


def test_two_orders_that_follow_on_one_message_are_one(world):
    world.send()
    world.save()
    world.left()
    world.desk.move(world.desk.messages()[0].id, State.SENT)
    world.open.rows[0][Role.SEND] = "x"
    answers = [world.approve(world.plan())]
    world.ledger.do_now(lambda c: c.exec_driver_sql("UPDATE message SET sender = 'x' WHERE NOT admitted"))
    answers.append(world.approve(world.plan()))  # it is not the one proposed before: that had another sender
    for answer in answers:
        world.tell(answer, answer["drafts"], [])
    states = [message.state for message in world.desk.messages()]
    assert sorted(states) == sorted([State.SENT, State.QUEUED, State.HELD])


def test_ids_that_were_never_given_out_for_a_campaign_are_ignored(world):
    answer = world.approve(world.plan())
    assert world.tell(answer, ["BCDFGHJKMNPQR"], []).accepted == 0
    assert world.left() == []


def test_a_row_that_changed_before_it_was_written_does_not_go(world):
    answer = world.approve(world.plan())
    world.open.rows[0][Role.PHONE] = "600999888"
    done, refused = world.write(answer)
    assert (done, refused) == ([], answer["drafts"])
    assert world.tell(answer, done, refused).withdrawn == 1
    assert world.desk.messages() == []


def test_what_would_go_now_must_be_what_was_approved(world):
    plan = world.plan()
    with pytest.raises(UserError, match="plan-changed"):
        asyncio.run(world.intake.approve(plan.id, "0" * 64))
    other = PATH.with_name("other.xlsx")
    world.desk.table(other).add("600111222")
    world.desk.take(other)  # the same text goes to the same number from elsewhere
    with pytest.raises(UserError, match="plan-changed"):
        world.approve(plan)
    with pytest.raises(UserError, match="plan-unknown"):
        asyncio.run(world.intake.approve("0" * 32, plan.plan.hash))
    assert world.ledger.do_now(campaign.find, plan.id).answer is None


def test_without_guid_another_list_of_the_same_name_is_another_list(tmp_path):
    world = World(tmp_path, guid=None)
    world.file.add("600111222")
    world.open_it()
    world.send()
    world.left()
    world.close_it()
    world.file.saves += 1  # exported anew
    world.desk.now += timedelta(days=2)
    assert world.take().accepted == 1
    world.desk.close()


def test_copies_of_rows_are_not_sent_as_their_originals(world):
    world.send()
    world.open.rows.append(dict(world.open.rows[0]) | {Role.SEND: "x"})
    answer = world.approve(world.plan())
    assert answer["drafts"] == []
    assert [trouble["code"] for trouble in answer["troubles"]] == ["row-copied"]


@settings(max_examples=60, stateful_step_count=14, suppress_health_check=list(HealthCheck), deadline=None)
class Anything(RuleBasedStateMachine):
    """Steps in any order. A row never goes more often than it was ordered, and never nothing at all."""

    @initialize(guid=st.booleans())
    def begin(self, guid):
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), guid=GUID if guid else None)
        self.world.file.add("600111222")
        self.world.file.add("600111333", "adiós")
        self.plans, self.answers, self.written = [], [], []

    @rule()
    def open_it(self):
        if self.world.open is None:
            self.world.open_it()

    @rule()
    def plan(self):
        if self.world.open is not None:
            self.plans.append(self.world.plan())

    @rule(which=st.integers(0, 3))
    def approve(self, which):
        if self.plans:
            try:
                self.answers.append(self.world.approve(self.plans[-1 - which % len(self.plans)]))
            except UserError as error:
                assert error.code == "plan-changed"  # noqa: PT017  # nothing else may be said

    @rule(which=st.integers(0, 3))
    def write(self, which):
        if self.answers and self.world.open is not None:
            answer = self.answers[-1 - which % len(self.answers)]
            self.written.append((answer, self.world.write(answer)))

    @rule(which=st.integers(0, 3))
    def tell(self, which):
        if self.written:
            answer, told = self.written[-1 - which % len(self.written)]
            self.world.tell(answer, *told)

    @rule()
    def save(self):
        if self.world.open is not None:
            self.world.save()
            self.world.beat()

    @rule()
    def close_it(self):
        if self.world.open is not None:
            self.world.close_it()

    @rule()
    def take(self):
        try:
            self.world.take()
        except TransientError as error:
            assert error.code == "workbook-live"  # noqa: PT017  # nothing else may be said

    @rule()
    def network(self):
        self.world.left()

    @invariant()
    def never_twice(self):
        if hasattr(self, "world"):
            gone = self.world.left()
            assert len(gone) == len(set(gone))

    def teardown(self):
        if hasattr(self, "world"):
            if self.world.open is not None:
                self.world.close_it()
            self.world.take()
            assert sorted(self.world.left()) == [("+34600111222", "hola"), ("+34600111333", "adiós")]
            self.world.desk.close()
            self.folder.cleanup()


TestAnything = Anything.TestCase


def test_an_edit_names_what_stood_there(world):
    (edit,) = [wire.read_edit(it) for it in world.approve(world.plan())["edits"]]
    assert edit.placed == Placed.of(world.open.read().rows[0])
