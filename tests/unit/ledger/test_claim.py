"""Whose turn it is: priorities, fair shares, moments, limits, the red button; and what asking costs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, select

from xlsms.model import Priority
from xlsms.states import State
from xlsms_service.config import Limit
from xlsms_service.delivery.limit import Limiter
from xlsms_service.ledger import acceptance, claim, stop, waiting
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, workbook

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def values(key, *, campaign=1, priority=1, route="", parts=1, due=NOW, **more):
    base = {
        "id": key, "mark_open": False, "admitted": True, "superseded": False, "number": f"+34{key:09}", "text": "x",
        "alphabet": "gsm7", "parts": parts, "fingerprint": str(key), "route": route, "state": State.QUEUED,
        "state_at": NOW, "accepted_at": NOW, "campaign": campaign, "priority": priority, "due": due, "attempts": 0,
        "version": 1, "written": 1, "sender": None, "expires_at": None,
    }  # fmt: skip
    return base | more


def fill(ledger, *rows):
    ledger.do_now(lambda c: c.execute(insert(message), list(rows)) and None)


def claimed(ledger, room=10, *, routes=("",), now=NOW, **more):
    got = ledger.do_now(claim.claim, connector="c", routes=routes, room=room, idle=True, now=now, **more)
    return [each.id for each in got]


def campaigns(ledger, room, **more):
    got = ledger.do_now(claim.claim, connector="c", routes=[""], room=room, idle=True, now=NOW, **more)
    return Counter(each.campaign for each in got)


def test_the_higher_priority_goes_first_whatever_waits_before_it(ledger):
    fill(
        ledger,
        *(values(key, priority=2, campaign=1) for key in range(1, 50)),
        *(values(key, priority=1, campaign=2) for key in range(50, 52)),
        values(99, priority=0, campaign=0),
    )
    assert claimed(ledger, 5) == [99, 50, 51, 1, 2]


def test_a_single_text_is_urgent_and_a_sheet_is_one_campaign(ledger):
    drafts = [
        Draft(number="+34600111222", text="x", alphabet="gsm7", parts=1, fingerprint="f", route="", sheet=sheet)
        for sheet in ("one", "two", "one")
    ]
    ledger.do_now(acceptance.propose, None, drafts, NOW)
    rows = ledger.do_now(lambda c: c.execute(select(message.c.sheet, message.c.campaign)).all())
    of_sheet = dict(rows)
    assert len({of_sheet["one"], of_sheet["two"]}) == 2
    assert all(of_sheet[sheet] == campaign for sheet, campaign in rows)


def test_campaigns_share_the_room(ledger):
    fill(ledger, *(values(key, campaign=1 + key // 100) for key in range(300)))
    assert campaigns(ledger, 30) == {1: 10, 2: 10, 3: 10}


def test_what_one_campaign_leaves_goes_to_the_others(ledger):
    fill(ledger, *(values(key, campaign=1) for key in range(3)), *(values(key, campaign=2) for key in range(10, 99)))
    assert campaigns(ledger, 30) == {1: 3, 2: 27}


def test_the_share_is_in_sms_not_in_messages(ledger):
    fill(ledger, *(values(key, campaign=1 + key // 100, parts=1 + 4 * (key // 100)) for key in range(200)))
    assert campaigns(ledger, 30) == {1: 15, 2: 3}


def test_with_less_room_than_campaigns_they_take_turns(ledger):
    fill(ledger, *(values(key, campaign=1 + key // 10) for key in range(50)))
    served, order = claim.Served(), []
    for _ in range(5):
        got = ledger.do_now(claim.claim, connector="c", routes=[""], room=2, idle=True, now=NOW, served=served)
        order += [each.campaign for each in got]
        served.note(got)
    assert order == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]


def books(ledger, *keys):
    rows = [{"id": key, "path": f"/{key}.xlsx", "language": "en"} for key in keys]
    ledger.do_now(lambda c: c.execute(insert(workbook), rows) and None)


def test_a_workbook_with_nine_campaigns_has_no_nine_shares(ledger):
    books(ledger, 1, 2)
    fill(ledger, *(values(key, campaign=1 + key // 100, workbook_id=1) for key in range(900)))
    fill(ledger, *(values(key, campaign=10, workbook_id=2) for key in range(900, 1000)))
    got = campaigns(ledger, 36)
    assert got == {**dict.fromkeys(range(1, 10), 2), 10: 18}


def test_what_a_workbook_leaves_goes_to_the_others(ledger):
    books(ledger, 1, 2)
    fill(ledger, *(values(key, campaign=1 + key // 100, workbook_id=1) for key in range(300)))
    fill(ledger, *(values(key, campaign=4, workbook_id=2) for key in range(300, 303)))
    fill(ledger, *(values(key, campaign=5, workbook_id=2) for key in range(310, 314)))
    assert campaigns(ledger, 37) == {1: 10, 2: 10, 3: 10, 4: 3, 5: 4}


@pytest.mark.parametrize("room", [1, 2, 3])
def test_with_little_room_workbooks_take_turns_and_so_do_the_campaigns_of_each(ledger, room):
    books(ledger, 1, 2)
    of_book = {1: 1, 3: 1, 5: 1, 2: 2, 4: 2}
    fill(
        ledger,
        *(values(key, campaign=1 + key % 5, workbook_id=of_book[1 + key % 5]) for key in range(200)),
    )
    served, got = claim.Served(), Counter()
    for _ in range(36 // room):
        some = ledger.do_now(claim.claim, connector="c", routes=[""], room=room, idle=True, now=NOW, served=served)
        served.note(some)
        got.update(each.campaign for each in some)
    by_book = Counter()
    for campaign, count in got.items():
        by_book[of_book[campaign]] += count
    assert by_book == {1: 18, 2: 18}
    assert max(got[1], got[3], got[5]) - min(got[1], got[3], got[5]) <= 1
    assert abs(got[2] - got[4]) <= 1


def test_where_a_limit_lets_nobody_go_one_claim_sets_back_no_more_than_its_room(ledger):
    fill(ledger, *(values(key, campaign=1 + key % 4) for key in range(1, 400)))
    gate = Limiter([Limit(interval=timedelta(days=1))]).ask
    assert len(claimed(ledger, 20, gate=gate)) == 1
    assert claimed(ledger, 20, gate=gate) == []
    dues = ledger.do_now(lambda c: c.execute(select(message.c.due).where(message.c.due > NOW)).scalars().all())
    assert len(dues) <= 40


def test_a_campaign_over_two_routes_has_one_share(ledger):
    fill(ledger, *(values(key, campaign=1, route=("", "+34")[key % 2]) for key in range(100)))
    fill(ledger, *(values(key, campaign=2) for key in range(100, 200)))
    got = ledger.do_now(claim.claim, connector="c", routes=["", "+34"], room=20, idle=True, now=NOW)
    assert Counter(each.campaign for each in got) == {1: 10, 2: 10}
    assert [each.id for each in got if each.campaign == 1] == list(range(10)), "in their order"


def test_nothing_passes_a_message_that_needs_more_room(ledger):
    fill(ledger, values(1, parts=5), values(2), values(3, priority=2, campaign=2))
    got = ledger.do_now(claim.claim, connector="c", routes=[""], room=4, idle=False, now=NOW)
    assert got == []
    assert claimed(ledger, 4) == [1], "alone, on an idle link"


def test_who_waits_for_his_moment_is_passed_and_the_moment_is_told(ledger):
    fill(
        ledger,
        values(1, due=NOW + 5 * SECOND),
        values(2),
        values(3, campaign=2, due=NOW + 3 * SECOND),
        values(4, campaign=2, due=NOW + 9 * SECOND),
    )
    assert claimed(ledger) == [2]
    assert ledger.do_now(waiting.next_due, [""], NOW) == NOW + 3 * SECOND
    assert claimed(ledger, now=NOW + 5 * SECOND) == [1, 3]
    assert ledger.do_now(waiting.next_due, ["+34"], NOW) is None


def test_a_limit_sets_back_only_those_that_it_concerns(ledger):
    fill(ledger, *(values(key, sender=("slow", "quick")[key % 2]) for key in range(10)))
    gate = Limiter([Limit(interval=SECOND, sender="slow")]).ask
    assert claimed(ledger, gate=gate) == [0, 1, 3, 5, 7, 9]
    assert claimed(ledger, gate=gate) == []
    dues = ledger.do_now(lambda c: c.execute(select(message.c.due).where(message.c.state == "queued")).scalars().all())
    assert sorted(dues) == [NOW + n * SECOND for n in (1, 2, 3, 4)]
    assert claimed(ledger, now=NOW + SECOND, gate=gate) == [2]


def test_an_urgent_text_does_not_stand_in_line_at_a_limit(ledger):
    fill(ledger, *(values(key) for key in range(1, 50)))
    gate = Limiter([Limit(interval=SECOND)]).ask
    assert claimed(ledger, 49, gate=gate) == [1]
    fill(ledger, values(99, priority=0, campaign=0))
    assert claimed(ledger, 49, now=NOW + SECOND, gate=gate) == [99]


def test_an_urgent_text_between_two_places_of_a_limit_goes_with_the_next(ledger):
    fill(ledger, *(values(key) for key in range(1, 50)))
    gate = Limiter([Limit(interval=SECOND)]).ask
    assert claimed(ledger, 49, gate=gate) == [1]
    fill(ledger, values(99, priority=0, campaign=0, due=NOW + SECOND / 2))
    assert claimed(ledger, 49, now=NOW + SECOND / 2, gate=gate) == []
    assert claimed(ledger, 49, now=NOW + SECOND, gate=gate) == [99]


def test_campaigns_share_a_limit_whichever_came_first(ledger):
    fill(ledger, *(values(key) for key in range(1, 200)))
    gate, served, got = Limiter([Limit(interval=SECOND)]).ask, claim.Served(), Counter()
    for second in range(41):
        if second == 1:
            fill(ledger, *(values(key, campaign=2, due=NOW + SECOND) for key in range(200, 400)))
        some = []
        for _ in range(9):  # as often as the engine asks while there may be more
            some += ledger.do_now(
                claim.claim, connector="c", routes=[""], room=50, idle=True, now=NOW + second * SECOND,
                served=served, gate=gate,
            )  # fmt: skip
        served.note(some)
        got.update(each.campaign for each in some)
    assert got.total() == 41
    assert abs(got[1] - got[2]) <= 2


def test_after_a_restart_what_was_set_back_may_try_at_once(ledger):
    fill(ledger, values(1, due=NOW + timedelta(days=1)))
    ledger.do_now(waiting.hurry, NOW)
    assert claimed(ledger) == [1]


def test_nothing_goes_while_the_red_button_is_pressed_whoever_asks(ledger, tmp_path):
    fill(ledger, values(1))
    with Ledger.open(tmp_path) as other:
        assert other.do_now(stop.press, NOW) == NOW
    assert claimed(ledger) == []
    assert ledger.do_now(stop.press, NOW + SECOND) == NOW, "since the first time"
    assert ledger.do_now(stop.pressed) == NOW
    assert ledger.do_now(stop.release)
    assert not ledger.do_now(stop.release)
    assert claimed(ledger) == [1]


def test_a_route_that_is_gone_is_chosen_anew(ledger):
    fill(ledger, values(1, route="+34"), values(2, route="+44"), values(3, route="+44", admitted=False))
    fill(ledger, values(4, route="+44", state=State.SCHEDULED, sender="me"))
    asked = []

    def choose(number, sender, path):
        asked.append((number, sender, path))
        return "new"

    ledger.do_now(waiting.reroute, ["+34", "new"], choose)
    routes = dict(ledger.do_now(lambda c: c.execute(select(message.c.id, message.c.route)).all()))
    assert routes == {1: "+34", 2: "new", 3: "new", 4: "new"}
    assert sorted(asked) == [("+34000000002", None, None), ("+34000000003", None, None), ("+34000000004", "me", None)]


def steps(ledger, work):
    """How many steps SQLite's machine takes for `work`, in thousands; the same on every computer."""
    count = 0

    def tick():
        nonlocal count
        count += 1

    def run(connection):
        raw = connection.connection.driver_connection
        raw.set_progress_handler(tick, 100)
        try:
            work(connection)
        finally:
            raw.set_progress_handler(None, 0)

    ledger.do_now(run)
    return count


def test_the_cost_of_a_claim_does_not_grow_with_what_waits(ledger):
    def ask(connection):
        claim.claim(connection, connector="c", routes=["", "+34"], room=10, idle=True, now=NOW)

    def with_waiting(count, first):
        moment = NOW + timedelta(days=1)
        for start in range(first, first + count, 5_000):
            keys = range(start, start + 5_000)
            fill(ledger, *(values(key, due=moment if key % 3 == 0 else NOW, priority=1 + key % 2) for key in keys))
        return steps(ledger, ask)

    few, many = with_waiting(5_000, 1), with_waiting(45_000, 5_001)
    assert many <= few * 1.5 + 2


def test_no_question_of_a_claim_reads_a_whole_table(ledger):
    plans = []
    fill(ledger, *(values(key, campaign=key % 5, attempts=1, parts=1 + key % 2) for key in range(1, 100)))

    def explain(connection, _cursor, statement, parameters, _context, many):
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")) and not many:
            rows = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    def work(connection):
        event.listen(connection, "before_cursor_execute", explain)
        gate = Limiter([Limit(interval=SECOND, burst=50)]).ask
        claim.claim(connection, connector="c", routes=[""], room=60, idle=True, now=NOW, gate=gate)
        waiting.next_due(connection, [""], NOW)
        waiting.tend(connection, [""], NOW)

    ledger.do_now(work)
    assert plans
    # The list of campaigns, some rows long, the stop, one row at most, and the list that was given are read as a whole.
    read_whole = {plan for plan in plans if plan.startswith("SCAN")}
    assert read_whole <= {"SCAN step", "SCAN stop", "SCAN CONSTANT ROW", "SCAN listed VIRTUAL TABLE INDEX 1:"}
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


message_lists = st.lists(
    st.builds(
        dict,
        campaign=st.integers(1, 4),
        priority=st.integers(0, 2),
        parts=st.integers(1, 4),
        route=st.sampled_from(["", "+34"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(rows=message_lists, rooms=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_every_claim_keeps_to_the_room_the_order_and_the_priorities(tmp_path_factory, rows, rooms):
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as ledger:
        for each in rows:
            each["campaign"] += 10 * each["priority"]  # a campaign has one priority
        kept = {key: values(key, **row) for key, row in enumerate(rows, 1)}
        fill(ledger, *kept.values())
        served = claim.Served()
        for room in [*rooms, *[9] * len(rows)]:
            got = ledger.do_now(
                claim.claim, connector="c", routes=["", "+34"], room=room, idle=True, now=NOW, served=served
            )
            assert sum(each.parts for each in got) <= room or len(got) == 1
            left = {key: row for key, row in kept.items() if key not in {each.id for each in got}}
            assert len(left) == len(kept) - len(got), "never one twice"
            assert got or not kept, "an idle link is never left without work"
            lowest = [kept[each.id]["priority"] for each in got]
            assert lowest == sorted(lowest)
            for (campaign, route), some in groupby(
                sorted(got, key=lambda each: (each.campaign, kept[each.id]["route"], each.id)),
                key=lambda each: (each.campaign, kept[each.id]["route"]),
            ):
                last = max(each.id for each in some)
                behind = [key for key, row in left.items() if (row["campaign"], row["route"]) == (campaign, route)]
                assert all(key > last for key in behind), "of one campaign, in their order"
            served.note(got)
            kept = left
        assert kept == {}


def test_priorities_have_names():
    assert [each.name for each in Priority] == ["URGENT", "NORMAL", "BULK"]
