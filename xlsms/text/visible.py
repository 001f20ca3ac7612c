"""Characters that nobody sees, shown as what they are: `U+202E`.

Marks of writing direction, characters without width and controls can make a line look otherwise than it is sent. The
joiner inside an emoji is left, as are tabs and line ends.
"""

import re
from collections.abc import Callable

__all__ = ["PATTERN", "visible"]

#: First and last of each range: controls, marks of direction, blanks without width, fillers, tags (Cc, Cf, Zl, Zp).
_HIDDEN = (
    (0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x600, 0x605),
    (0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200C), (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip

#: What a joiner stands between in an emoji.
_EMOJI = ((0x2190, 0x2BFF), (0xFE0F, 0xFE0F), (0x1F000, 0x1FAFF))


def _pattern(escape: Callable[[int], str]) -> str:
    hidden, emoji = (
        "".join(f"{escape(first)}-{escape(last)}" for first, last in ranges) for ranges in (_HIDDEN, _EMOJI)
    )
    joiner = escape(0x200D)
    return f"[{hidden}]|(?<![{emoji}]){joiner}|{joiner}(?![{emoji}])"


#: The rule as a pattern of JavaScript, for its flag `u`.
PATTERN = _pattern(lambda code: f"\\u{{{code:x}}}")

_SEEN = re.compile(_pattern(lambda code: f"\\U{code:08x}"))


def visible(text: str) -> str:
    """The text with a tag for each character that cannot be seen."""
    return _SEEN.sub(lambda found: f"U+{ord(found[0]):04X}", text)
