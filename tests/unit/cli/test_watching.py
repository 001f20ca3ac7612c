"""What `xlsms run` shows on a screen."""

from datetime import UTC, datetime, timedelta

from xlsms_service.app import Event
from xlsms_service.cli.watching import Screen

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_replies_are_one_line_a_second_and_everything_else_comes_at_once_in_order():
    shown, calls = [], []
    screen = Screen(lambda event: shown.append((event.kind, event.count)))
    for nth, count in enumerate((1, 2, 3)):
        screen.tell(Event(kind="reply", at=NOW + timedelta(milliseconds=nth), count=count), calls.append)
    screen.tell(Event(kind="stranger", at=NOW, count=1), calls.append)
    assert (shown, len(calls)) == ([], 1)
    calls.pop()()
    assert shown == [("reply", 6), ("stranger", 1)]
    screen.tell(Event(kind="reply", at=NOW, count=4), calls.append)
    screen.tell(Event(kind="problem", at=NOW), calls.append)
    assert shown[2:] == [("reply", 4), ("problem", 0)]
    calls.pop()()
    assert len(shown) == 4
