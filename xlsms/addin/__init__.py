"""The Excel add-in: the ribbon's verbs, how Excel starts Python for them, and how `xlsms.xlam` is made and installed.

`verb` names what a user can ask for, `invocation` is one such request as the launcher in the add-in hands it over,
`commands` does it. `build` makes the add-in from the sources beside it; `install` puts it where Excel finds it.
Excel's Python imports this at every click, so nothing heavy is imported before it is needed.
"""

from xlsms.addin.invocation import Host, Invocation
from xlsms.addin.verb import Verb

__all__ = ["Host", "Invocation", "Verb"]
