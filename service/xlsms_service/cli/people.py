"""People for the demo: names, numbers as lists really hold them, and texts of every kind. Nobody has these numbers."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from xlsms.model import CellValue
from xlsms.templates import Value

__all__ = ["people"]

_FIRST = {
    "en": (
        *("Emma", "Liam", "Sofia", "Noah", "Priya", "Jack", "Amelia", "Omar", "Chloe", "Daniel", "Grace", "Mateo"),
        *("Hannah", "Samuel", "Aisha", "Oliver", "Nora", "Lucas", "Ruby", "Ethan", "Isla", "Adam", "Leah", "Victor"),
    ),
    "es": (
        *("María", "José", "Lucía", "Martín", "Sofía", "Andrés", "Valentina", "Diego", "Camila", "Javier", "Paula"),
        *("Ximena", "Hugo", "Carmen", "Óscar", "Inés", "Raúl", "Noelia", "Iván", "Ángela", "Tomás", "Rocío", "Íñigo"),
    ),
}
_LAST = {
    "en": (
        *("Clarke", "Hughes", "Patel", "Murphy", "Walker", "Khan", "Rossi", "Nguyen", "Taylor", "Lopez", "Fischer"),
        *("Bennett", "Okafor", "Reid", "Silva", "Marsh", "Kowalski", "Evans", "Haddad", "Price"),
    ),
    "es": (
        *("García", "Rodríguez", "Hernández", "Núñez", "López", "Quispe", "Fernández", "Castillo", "Muñoz", "Ortega"),
        *("Vargas", "Etxeberria", "Ibáñez", "Rojas", "Peña", "Restrepo", "Morales", "Aguirre", "Cárdenas", "Santos"),
    ),
}
#: Country code and the first digits of numbers that look made up, and that are valid mobile numbers all the same.
_BLOCKS = ("+346000", "+346000", "+346000", "+525555", "+573000", "+519000")
_LENGTHS = {"+34": 9, "+52": 10, "+57": 10, "+51": 9}

_PLAIN = {
    "en": "Hello {Name}, you have an appointment on {Date:dd/MM} at {Time}. Reply YES to confirm or NO to cancel.",
    "es": "Hola {Nombre}, tiene cita el {Fecha:dd/MM} a las {Hora}. Responda SI para confirmar o NO para anular.",
}
_EMOJI = {
    "en": "Hello {Name} 👋 See you on {Date:dddd d mmmm} at {Time}. Will you come? Reply YES or NO 🙏",
    "es": "Hola {Nombre} 👋 Le esperamos el {Fecha:dddd d mmmm} a las {Hora}. ¿Vendrá? Responda SI o NO 🙏",
}
_LONG = {
    "en": (
        "Dear {Name}, this is a reminder of your appointment on {Date:dd/MM/yyyy} at {Time}. Please bring your card and"
        " earlier reports, come ten minutes before, and tell us in advance if you take any medicine or have an allergy."
        " Reply YES to confirm or NO to cancel."
    ),
    "es": (
        "Estimado/a {Nombre}: le recordamos su cita del {Fecha:dd/MM/yyyy} a las {Hora}. Traiga su tarjeta y los"
        " informes anteriores, venga diez minutos antes y avise si toma alguna medicina o tiene alguna alergia."
        " Responda SI para confirmar o NO para anular."
    ),
}


def people(count: int, language: str, today: date) -> list[tuple[Value, ...]]:
    """`count` marked rows in the order of the template's columns; the same ones for the same day."""
    rng = Random(2026)  # noqa: S311 (a sample, not a secret)
    return [
        (
            _name(rng, language),
            _written(number, index),
            datetime.combine(today + timedelta(days=1 + index % 9), time()),
            time(9 + index % 9, 15 * (index % 4)),
            _text(index)[language],
            "x",
        )
        for index, number in zip(range(count), numbers(), strict=False)
    ]


def _name(rng: Random, language: str) -> str:
    """A name of one or, in Spanish, two surnames."""
    last = [rng.choice(_LAST[language]) for _ in range(2 if language == "es" else 1)]
    return " ".join((rng.choice(_FIRST[language]), *last))


def numbers() -> Iterator[str]:
    """Numbers that differ, one a person, in E.164."""
    index = 0
    while True:
        block = _BLOCKS[index % len(_BLOCKS)]
        digits = _LENGTHS[block[:3]] - len(block) + 3
        yield f"{block}{index:0{digits}d}"
        index += 1


def _text(index: int) -> dict[str, str]:
    """Most texts are short and plain; one in seven has emoji, one in eleven is long."""
    if index % 7 == 3:  # noqa: PLR2004 (any pattern would do)
        return _EMOJI
    return _LONG if index % 11 == 6 else _PLAIN  # noqa: PLR2004


def _written(number: str, index: int) -> CellValue:
    """The number as it may stand in a list: most are clean, some are what Excel or a hasty hand made of them."""
    spanish = number.startswith("+34")
    match index % 12:
        case 1 if spanish:
            return float(number[3:])  # Excel took it for a number
        case 2 if spanish:
            return f"{number[3:6]}-{number[6:9]}-{number[9:]}"
        case 4 | 7:
            return f"00{number[1:3]} {number[3:6]} {number[6:]}"
        case 8 if spanish:
            return float(number[1:])  # and the plus got lost
        case 9:
            return f" {number[:3]} {number[3:6]} {number[6:9]} {number[9:]}\u00a0"
    return f"{number[:3]} {number[3:6]} {number[6:9]} {number[9:]}"
