"""Passwords and tokens that never show themselves."""

import importlib
import os

from xlsms.errors import Place, UserError

__all__ = ["Secret"]


class Secret:
    """A password or token that never shows itself: `repr` and `str` are an ellipsis.

    Written in the settings as text, `{env = "NAME"}` or `{keyring = "NAME"}`; the last two are looked up when
    `reveal` is called, never before.
    """

    __slots__ = ("_keyring", "_place", "_text", "_variable")

    def __init__(
        self,
        text: str | None = None,
        *,
        variable: str | None = None,
        keyring: str | None = None,
        place: Place | None = None,
    ) -> None:
        self._text = text
        self._variable = variable
        self._keyring = keyring
        self._place = place

    @classmethod
    def read(cls, value: object, place: Place | None = None) -> "Secret":
        """The secret that a settings value stands for; raises `config-wrong-secret`."""
        match value:
            case Secret():
                return value
            case str():
                return cls(value, place=place)
            case {"env": str(name), **rest} if name and not rest:
                return cls(variable=name, place=place)
            case {"keyring": str(name), **rest} if name and not rest:
                return cls(keyring=name, place=place)
        raise UserError("config-wrong-secret", place=place)

    def reveal(self) -> str:
        """The secret itself; raises `secret-not-set`, `secret-no-keyring` or `secret-not-in-keyring`."""
        if self._text is not None:
            return self._text
        if self._variable is not None:
            value = os.environ.get(self._variable)
            if value is None:
                raise UserError("secret-not-set", place=self._place, name=self._variable)
            return value
        return self._from_keyring(self._keyring or "")

    def _from_keyring(self, name: str) -> str:
        try:
            keyring = importlib.import_module("keyring")  # optional: only who writes `{keyring = …}` needs it
        except ImportError:
            raise UserError("secret-no-keyring", place=self._place, name=name) from None
        try:
            value = keyring.get_password("xlsms", name)
        except Exception as error:  # each keyring backend has errors of its own
            raise UserError("secret-no-keyring", place=self._place, name=name) from error
        if value is None:
            raise UserError("secret-not-in-keyring", place=self._place, name=name)
        return str(value)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__
