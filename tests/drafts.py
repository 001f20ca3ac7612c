"""How tests of drafts tell contents apart, and a process that may have left some."""

__all__ = ["DEAD", "identify", "told"]

DEAD = 2**22 + 1  #: above the highest process id


def told(content):
    """What tells a content from others."""
    return f"h{content.hex()}"


def identify(path):
    """The same of a file."""
    try:
        return told(path.read_bytes())
    except OSError:
        return "none"
