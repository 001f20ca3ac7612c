"""The preview of a small plan as LibreOffice's own dialog: a list of its rows, what is to be said of one, buttons.

Not in the table control that LibreOffice has as well: disposed of while assistive technology looks, it takes the whole
office with it (7.4).
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from xlsms.addin.calc.link import Link, Uno, uno
from xlsms.addin.commands.box import Box, Choice, Line, Way, shorten

__all__ = ["show"]

# In units of a quarter of a character's width and an eighth of its height.
_WIDTH, _EDGE, _GAP = 420, 8, 4
_LINE, _REMARK, _BUTTON = 10, 46, 16
_MOST = 12  # rows seen at once
_CHARACTERS = 96  # of a line in the list
_POSITION = 3  # com.sun.star.awt.PosSize.POS
_FONT = "Liberation Mono"  # comes with LibreOffice; so that numbers stand below numbers


class _Listener:
    """What LibreOffice calls; made by hand, as its module `unohelper` is not always beside `uno`."""

    def __init__(self, interface: str, heard: Callable[[], None], *, when: str = "") -> None:
        """`when`: the one method of the interface that counts; else all."""
        self._interface, self._heard, self._when = interface, heard, when

    def getTypes(self) -> tuple[Uno, ...]:  # noqa: N802 - an interface of LibreOffice
        return (uno().getTypeByName("com.sun.star.lang.XTypeProvider"), uno().getTypeByName(self._interface))

    def getImplementationId(self) -> Uno:  # noqa: N802 - same
        return uno().ByteSequence(b"")

    def disposing(self, event: Uno) -> None:
        """The dialog is gone."""

    def __getattr__(self, name: str) -> Callable[[Uno], None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return (lambda _event: self._heard()) if self._when in ("", name) else lambda _event: None


class _Dialog:
    """One dialog, from its making to its end."""

    def __init__(self, link: Link, box: Box, parent: Uno) -> None:
        self._link, self._box = link, box
        self.choice = Choice(way=Way.CLOSE)
        self._was_shown = False
        self.model = link.service("com.sun.star.awt.UnoControlDialogModel")
        self.dialog = link.service("com.sun.star.awt.UnoControlDialog")
        self._parts()
        self.dialog.setModel(self.model)
        self.dialog.createPeer(
            parent.Toolkit if parent is not None else link.service("com.sun.star.awt.Toolkit"), parent
        )
        self.rows = self.dialog.getControl("rows")
        self._listen()
        if parent is not None:  # in its middle, else LibreOffice shows it in its corner
            around, own = parent.PosSize, self.dialog.PosSize
            left, top = (around.Width - own.Width) // 2, (around.Height - own.Height) // 3
            self.dialog.setPosSize(max(left, 0), max(top, 0), 0, 0, _POSITION)

    def _parts(self) -> None:
        box = self._box
        lines = box.head.count("\n") + 1
        inner, top = _WIDTH - 2 * _EDGE, _EDGE + lines * _LINE + _GAP
        rows = (min(max(len(box.lines), 4), _MOST) + 1) * _LINE
        self.model.Title, self.model.Width, self.model.Moveable = box.title, _WIDTH, True
        self._add("UnoControlFixedText", "head", (_EDGE, _EDGE, inner, lines * _LINE), Label=box.head, MultiLine=True)
        self._add("UnoControlListBox", "rows", (_EDGE, top, inner, rows), FontName=_FONT, StringItemList=self._items())
        top += rows + _GAP
        self._add("UnoControlEdit", "remark", (_EDGE, top, inner, _REMARK), MultiLine=True, ReadOnly=True, VScroll=True)
        top += _REMARK + _GAP
        width = (inner - _GAP * (len(box.ways) - 1)) // len(box.ways)
        for at, (way, label) in enumerate(box.ways.items()):
            where = (_EDGE + at * (width + _GAP), top, width, _BUTTON)
            self._add("UnoControlButton", str(way), where, Label=label, DefaultButton=way is Way.CLOSE)
        self.model.Height = top + _BUTTON + _EDGE

    def _add(self, kind: str, name: str, where: tuple[int, int, int, int], **properties: object) -> Uno:
        model = self.model.createInstance(f"com.sun.star.awt.{kind}Model")
        model.PositionX, model.PositionY, model.Width, model.Height = where
        for key, value in properties.items():
            setattr(model, key, value)
        self.model.insertByName(name, model)
        return model

    def _items(self) -> tuple[str, ...]:
        """Each row in a line, its figures below those of the others."""
        rows = [("!" if line.wrong else " ", *line.cells[:2], line.cells[3]) for line in self._box.lines]
        widths = [max(len(row[at]) for row in rows) for at in range(4)] if rows else []
        lead = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return tuple(
            shorten(f"{before}  {line.cells[2]}", _CHARACTERS)
            for before, line in zip(lead, self._box.lines, strict=True)
        )

    def _listen(self) -> None:
        self.dialog.addWindowListener(_Listener("com.sun.star.awt.XWindowListener", self._seen, when="windowHidden"))
        for way in self._box.ways:
            self.dialog.getControl(str(way)).addActionListener(
                _Listener("com.sun.star.awt.XActionListener", partial(self._pressed, way))
            )
        self.rows.addItemListener(_Listener("com.sun.star.awt.XItemListener", self._tell))
        self.rows.addActionListener(_Listener("com.sun.star.awt.XActionListener", lambda: self._pressed(Way.CELL)))

    def _seen(self) -> None:  # told of when it goes: what was never there does not go
        self._was_shown = True

    def _chosen(self) -> Line | None:
        at = self.rows.getSelectedItemPos()
        return self._box.lines[at] if at >= 0 else None

    def _tell(self) -> None:
        """The whole text and the remark of the row that is selected."""
        line = self._chosen()
        if line is not None:
            self.dialog.getControl("remark").Text = "\n".join(part for part in (line.remark, line.cells[2]) if part)

    def _pressed(self, way: Way) -> None:
        line = self._chosen() if way is Way.CELL else None
        if way is not Way.CELL or line is not None:
            self.choice = Choice(way=way, line=line)
            self.dialog.endExecute()

    def run(self) -> Choice | None:
        """Show it and wait for the user; None from an office without a screen, which ends each dialog at once."""
        first = next((at for at, line in enumerate(self._box.lines) if line.wrong), 0)
        if self._box.lines:
            self.rows.selectItemPos(first, True)
            self._tell()
        self.dialog.execute()
        return self.choice if self._was_shown else None

    def end(self) -> None:
        """Let go of it."""
        with suppress(Exception):  # the office may have gone meanwhile
            self.dialog.dispose()


def show(link: Link, box: Box) -> Choice | None:
    """Show the plan and wait for what the user does; closing it is `Way.CLOSE`. None where nobody could see it."""
    frame = link.frame()
    dialog = _Dialog(link, box, frame.ContainerWindow if frame is not None else None)
    try:
        return dialog.run()
    finally:
        dialog.end()
