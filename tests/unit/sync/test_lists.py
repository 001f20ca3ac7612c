"""A state machine: people edit, sort, copy and mark, power fails, and the service looks."""

from pathlib import Path
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.sync.table import Desk, PowerCutError, cut_power
from xlsms.model import Role
from xlsms.states import State


class Lists(RuleBasedStateMachine):
    """People edit, sort, copy and mark; power fails; the service looks. Nothing goes twice, nothing is lost."""

    @initialize(ahead=st.booleans())
    def begin(self, ahead):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(Path(self.folder.name), pieces=(1, 2), ahead=ahead)
        self.table = self.desk.table()
        self.count = 0
        self.orders = {}  # text -> how often someone ordered it
        self.gone = {}  # text -> how often it went

    def teardown(self):
        if hasattr(self, "desk"):
            self.desk.close()
            self.folder.cleanup()

    @rule()
    def write_a_row(self):
        self.count += 1
        text = f"text {self.count}"
        self.table.add(f"6{self.count:08}", text)
        self.orders[text] = 1

    @rule(power_cut=st.sampled_from([None, None, "before", "after"]))
    def look(self, power_cut):
        if power_cut:
            setattr(self.table, f"{power_cut}_apply", cut_power)
        try:
            self.desk.take()
        except PowerCutError:
            pass
        finally:
            self.table.before_apply = self.table.after_apply = lambda: None

    @rule(room=st.integers(1, 5), state=st.sampled_from([State.SENT, State.FAILED, State.QUEUED]))
    def send(self, room, state):
        for each in self.desk.claim(room):
            if state is not State.QUEUED:
                self.gone[each.text] = self.gone.get(each.text, 0) + 1
            self.desk.move(each.id, state)

    @rule()
    def write_back(self):
        self.desk.write_back()

    @rule(seed=st.integers(0, 99))
    def shuffle(self, seed):
        Random(seed).shuffle(self.table.rows)
        self.table.saves += 1

    @precondition(lambda self: self.table.rows)
    @rule(at=st.integers(0, 99))
    def copy_a_row(self, at):
        self.table.rows.append(dict(self.table.rows[at % len(self.table.rows)]))
        self.table.saves += 1

    @precondition(lambda self: self.table.rows)
    @rule(at=st.integers(0, 99))
    def mark_again_what_has_ended(self, at):
        row = self.table.rows[at % len(self.table.rows)]
        if row.get(Role.STATUS) in ("Enviado", "Fallido") and row[Role.SEND] is None:
            row[Role.SEND] = "x"
            self.table.saves += 1
            self.orders[row[Role.MESSAGE]] += 1

    @invariant()
    def never_more_than_ordered(self):
        for text, times in getattr(self, "gone", {}).items():
            assert times <= self.orders[text]

    @invariant()
    def every_state_stands_beside_its_own_text(self):
        if not hasattr(self, "desk"):
            return
        texts = {(each.row_id): each.text for each in self.desk.messages()}
        for row in self.table.rows:
            if row[Role.ID] in texts:
                assert texts[row[Role.ID]] == row[Role.MESSAGE]


TestLists = Lists.TestCase
TestLists.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
