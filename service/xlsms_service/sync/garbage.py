"""When Python looks for garbage in a process that works on long lists.

A list is some hundred thousand objects that live until their piece is done, and each of Python's rounds walks through
all of them to find nothing: a fifth of the desk's processor time. What goes in circles is looked for when something is
done and hardly anything else is left.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collect", "collect_rarely", "command", "seldom"]

#: New containers that are left, from which on a round comes by itself: more than a piece has.
_MANY = 1_000_000

#: Rounds of younger ones until the next older ones are looked at.
_ROUNDS = 2


#: The same of a process that delivers: some windows of texts, which go by themselves when they have been settled.
_WINDOWS = 50_000

#: Runs a module as `-m` does. What it imports stays: rounds in between take a sixth of the time until it is there.
_START = "import gc, runpy, sys; gc.disable(); runpy.run_module(sys.argv[1], run_name='__main__', alter_sys=True)"


def command(module: str) -> list[str]:
    """What starts a process that runs `module`, which calls `collect_rarely` as soon as it has all that stays."""
    # -P: a module that lies in the current folder is not ours.
    return [sys.executable, "-P", "-c", _START, module]


def collect_rarely() -> None:
    """From now on `collect` does it, and the rounds only where it is not called for very long.

    What is there now, modules above all, is not looked at any more.
    """
    gc.freeze()
    gc.set_threshold(_MANY, _ROUNDS, _ROUNDS)
    gc.enable()


def collect() -> None:
    """Look for garbage now."""
    gc.collect()


@contextmanager
def seldom() -> Iterator[None]:
    """While a process delivers, rounds come when many windows of texts have left something behind.

    Each text is some twenty containers, and after every seven hundred Python would look what of them goes in circles.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_WINDOWS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
