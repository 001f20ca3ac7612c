"""The preview of a small plan as a window of our own, for Excel: it has no dialog that Python could fill with a list.

Drawn by Tk, which comes with Python on Windows and macOS; where there is none, the plan is shown in the browser.
"""

from contextlib import suppress
from types import ModuleType
from typing import Any

from xlsms.addin.commands.box import Box, Choice, Line, Way, shorten

__all__ = ["Window", "show"]

_WIDTHS = (60, 120, 380, 50, 260)  # pixels of the columns
_MOST = 12  # rows seen at once
_LINES = 4  # of what is said about a row
_CHARACTERS = 200  # of a cell


def show(box: Box) -> Choice | None:
    """Show the plan and wait for what the user does; None where no window can be shown."""
    try:
        import tkinter as tk  # noqa: PLC0415 - not every Python has it
        from tkinter import ttk  # noqa: PLC0415 - same

        root = tk.Tk(className="xlsms")
    except Exception:  # noqa: BLE001 - no Tk, no screen: the browser shows it
        return None
    return Window(root, ttk, box).run()


class Window:
    """One window, from its making to its end."""

    def __init__(self, root: Any, ttk: ModuleType, box: Box) -> None:
        self.root, self._box = root, box
        self.choice = Choice(way=Way.CLOSE)
        root.title(box.title)
        root.protocol("WM_DELETE_WINDOW", lambda: self.press(Way.CLOSE))
        root.bind("<Escape>", lambda _event: self.press(Way.CLOSE))
        frame = ttk.Frame(root, padding=12)
        frame.pack(fill="both", expand=True)
        ttk.Label(frame, text=box.head, justify="left").pack(anchor="w", pady=(0, 8))
        buttons = ttk.Frame(frame)  # packed first of what stands below: a small screen takes rows, not buttons
        buttons.pack(side="bottom", fill="x", pady=(8, 0))
        self.buttons = {}
        for way, label in box.ways.items():
            button = ttk.Button(buttons, text=label, command=lambda way=way: self.press(way))
            button.pack(side="left" if way is not Way.CLOSE else "right", padx=(0, 8) if way is not Way.CLOSE else 0)
            self.buttons[way] = button
        self.remark = ttk.Label(frame, justify="left", anchor="nw", wraplength=sum(_WIDTHS))
        self.remark.pack(side="bottom", fill="x", pady=(8, 0))
        self.rows = self._table(frame, ttk)

    def _table(self, frame: Any, ttk: ModuleType) -> Any:
        within = ttk.Frame(frame)
        within.pack(fill="both", expand=True)
        names = [str(at) for at in range(len(self._box.columns))]
        height = min(max(len(self._box.lines), _LINES), _MOST)
        rows = ttk.Treeview(within, columns=names, show="headings", selectmode="browse", height=height)
        for name, title, width in zip(names, self._box.columns, _WIDTHS, strict=True):
            rows.heading(name, text=title, anchor="w")
            rows.column(name, width=width, anchor="w", stretch=width > _WIDTHS[1])
        bar = ttk.Scrollbar(within, command=rows.yview)
        rows.configure(yscrollcommand=bar.set)
        rows.pack(side="left", fill="both", expand=True)
        bar.pack(side="right", fill="y")
        rows.tag_configure("wrong", foreground="#b3261e")
        for at, line in enumerate(self._box.lines):
            values = [shorten(cell, _CHARACTERS) for cell in line.cells]
            rows.insert("", "end", iid=str(at), values=values, tags=("wrong",) if line.wrong else ())
        rows.bind("<<TreeviewSelect>>", lambda _event: self.tell())
        rows.bind("<Double-1>", lambda _event: self.press(Way.CELL))
        rows.bind("<Return>", lambda _event: self.press(Way.CELL))
        return rows

    def chosen(self) -> Line | None:
        """The row that is selected."""
        selected = self.rows.selection()
        return self._box.lines[int(selected[0])] if selected else None

    def tell(self) -> None:
        """Say the whole text and the remark of the row that is selected."""
        line = self.chosen()
        if line is not None:
            said = "\n".join(part for part in (line.remark, line.cells[2]) if part)
            self.remark["text"] = said + "\n" * max(0, _LINES - 1 - said.count("\n"))  # so that nothing jumps

    def press(self, way: Way) -> None:
        """Do what a button says."""
        line = self.chosen() if way is Way.CELL else None
        if way is not Way.CELL or line is not None:
            self.choice = Choice(way=way, line=line)
            self.root.quit()

    def run(self) -> Choice:
        """Show it before everything else, and wait for the user."""
        first = next((at for at, line in enumerate(self._box.lines) if line.wrong), 0)
        if self._box.lines:
            self.rows.selection_set(str(first))
            self.rows.focus(str(first))
            self.rows.see(str(first))
            self.tell()
        self.rows.focus_set()
        with suppress(Exception):  # not every desktop lets a window do that
            self.root.eval("tk::PlaceWindow . center")
            self.root.attributes("-topmost", True)
            self.root.lift()
            self.root.focus_force()
        try:
            self.root.mainloop()
        finally:
            with suppress(Exception):  # it may be gone
                self.root.destroy()
        return self.choice
