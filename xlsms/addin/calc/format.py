"""Number formats as Excel writes them: in English codes, and `m/d/yyyy` for the system's own date."""

from xlsms.addin.calc.link import Uno, uno

__all__ = ["Formats"]

#: The formats that show a moment as the system does, by their names in com.sun.star.i18n.NumberFormatIndex.
_SYSTEM = {
    "DATE_SYSTEM_SHORT": "m/d/yyyy",
    "DATE_SYS_DDMMYYYY": "m/d/yyyy",
    "DATETIME_SYSTEM_SHORT_HHMM": "m/d/yyyy h:mm",
}
_STANDARD = "General"


class Formats:
    """The number formats of one document; those met once are remembered."""

    def __init__(self, document: Uno) -> None:
        self._formats = document.NumberFormats
        self._codes: dict[int, str] = {0: _STANDARD}
        self._keys: dict[str, int] = {}
        self._english: Uno = None

    def code(self, key: int) -> str:
        """The code of a format."""
        if key not in self._codes:
            self._codes[key] = self._read(key)
        return self._codes[key]

    def key(self, code: str) -> int:
        """The format of a code, made if there is none."""
        if code not in self._keys:
            found = next((key for key, known in self._system().items() if known == code), None)
            if found is None:
                found = self._formats.queryKey(code, self._locale(), False)
            self._keys[code] = found if found != -1 else self._formats.addNew(code, self._locale())
        return self._keys[code]

    def _locale(self) -> Uno:
        if self._english is None:
            self._english = uno().createUnoStruct("com.sun.star.lang.Locale")
            self._english.Language, self._english.Country = "en", "US"
        return self._english

    def _system(self) -> dict[int, str]:
        constants = "com.sun.star.i18n.NumberFormatIndex"
        plain = uno().createUnoStruct("com.sun.star.lang.Locale")  # the system's
        return {
            self._formats.getFormatIndex(uno().getConstantByName(f"{constants}.{name}"), plain): code
            for name, code in _SYSTEM.items()
        }

    def _read(self, key: int) -> str:
        system = self._system().get(key)
        if system is not None:
            return system
        found = self._formats.getByKey(key)
        text = str(found.FormatString)
        if found.Locale.Language not in ("", "en"):
            text = self._translated(text, found.Locale)
        return _STANDARD if text in ("Standard", "") else text

    def _translated(self, text: str, locale: Uno) -> str:
        """A code in English: letters for day and year and the word for General differ by language."""
        try:
            key = self._formats.addNewConverted(text, locale, self._locale())
        except Exception:  # noqa: BLE001 - a code that cannot be translated is shown as it is
            return text
        return str(self._formats.getByKey(key).FormatString)
