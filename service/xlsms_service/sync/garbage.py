"""When Python looks for garbage in a process that works on long lists.

A list is some hundred thousand objects that live until their piece is done, and each of Python's rounds walks through
all of them to find nothing: a fifth of the desk's processor time. What goes in circles is looked for when something is
done and hardly anything else is left.
"""

import gc

__all__ = ["collect", "collect_rarely"]

#: New containers that are left, from which on a round comes by itself: more than a piece has.
_MANY = 1_000_000

#: Rounds of younger ones until the next older ones are looked at.
_ROUNDS = 2


def collect_rarely() -> None:
    """From now on `collect` does it, and the rounds only where it is not called for very long.

    What is there now, modules above all, is not looked at any more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MANY, _ROUNDS, _ROUNDS)


def collect() -> None:
    """Look for garbage now."""
    gc.collect()
