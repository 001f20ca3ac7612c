"""What a simulated network has written down about the texts that it took, read while it goes on writing."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

__all__ = ["reached", "taken"]


def taken(journal: Path) -> list[dict[str, Any]]:
    """Its lines so far; half of one may be there already, and does not count yet."""
    if not journal.exists():
        return []
    whole, _, _ = journal.read_text("utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.split("\n") if line]


def reached(journal: Path) -> Counter[str]:
    """How many parts each number was sent."""
    return Counter(part["destination"].lstrip("+") for part in taken(journal))
