"""The functions for cells as Calc must know them: an interface in a type library, names and help in a registry."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from xlsms.addin.calc.typelib import Method, library
from xlsms.wording import LANGUAGES

__all__ = ["FUNCTIONS", "SERVICE", "Argument", "Function", "names", "registry", "types"]

SERVICE = "org.xlsms.calc.Functions"
_INTERFACE = "org.xlsms.calc.XFunctions"
_ANY = "any"  # a number, a text, an empty cell, or nothing where an argument is left out
_LIVE = "com.sun.star.sheet.XVolatileResult"  # a value that changes by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a function, named and explained in English and Spanish."""

    key: str
    name: tuple[str, str]
    help: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as the user writes it, and the method behind it."""

    name: str
    method: str
    live: bool
    help: tuple[str, str]
    arguments: tuple[Argument, ...]


_TEXT = Argument(key="text", name=("text", "texto"), help=("The text of the message", "El texto del mensaje"))
_NUMBER = Argument(
    key="number",
    name=("number", "número"),
    help=("A phone number, as anybody writes it", "Un teléfono, escrito de cualquier modo"),
)
_COUNTRY = Argument(
    key="country",
    name=("country", "país"),
    help=(
        "Two letters, such as ES, for numbers without +; optional: that of the settings",
        "Dos letras, como ES, para números sin +; opcional: el de los ajustes",
    ),
)
_ID = Argument(
    key="id",
    name=("id", "id"),
    help=("What stands in the column SMS ID", "Lo que hay en la columna SMS ID"),
)

FUNCTIONS = (
    Function(
        name="SMS.PARTS",
        method="getParts",
        live=False,
        help=("How many SMS a text takes", "Cuántos SMS ocupa un texto"),
        arguments=(_TEXT,),
    ),
    Function(
        name="SMS.E164",
        method="getE164",
        live=False,
        help=("A phone number in its international form, or why it is none",
              "Un teléfono en su forma internacional, o por qué no lo es"),
        arguments=(_NUMBER, _COUNTRY),
    ),
    Function(
        name="SMS.COST",
        method="getCost",
        live=True,
        help=("What sending a text to a number would cost", "Lo que costaría enviar un texto a un número"),
        arguments=(_NUMBER, _TEXT),
    ),
    Function(
        name="SMS.STATUS",
        method="getStatus",
        live=True,
        help=("What became of the message of a row, as it changes", "Qué fue del mensaje de una fila, según cambia"),
        arguments=(_ID,),
    ),
    Function(
        name="SMS.REPLY",
        method="getReply",
        live=True,
        help=("What was answered to the message of a row, as it comes",
              "Lo que se contestó al mensaje de una fila, según llega"),
        arguments=(_ID,),
    ),
)  # fmt: skip


def types() -> bytes:
    """The type library of the interface."""
    methods = [
        Method(
            name=one.method,
            returns=_LIVE if one.live else _ANY,
            takes={argument.key: _ANY for argument in one.arguments},
        )
        for one in FUNCTIONS
    ]
    return library(_INTERFACE, "com.sun.star.uno.XInterface", methods)


def names() -> str:
    """Names and help once more, as JSON by method: for the component, which Calc asks for them."""
    said = {
        one.method: {
            "name": one.name,
            "help": _both(one.help),
            "arguments": [{"name": _both(it.name), "help": _both(it.help)} for it in one.arguments],
        }
        for one in FUNCTIONS
    }
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def _both(texts: tuple[str, str]) -> dict[str, str]:
    return dict(zip(LANGUAGES, texts, strict=True))


def registry() -> str:
    """`CalcAddIns.xcu`: what the function wizard shows, and the names that workbooks of Excel have."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<oor:component-data '
        'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'oor:package="org.openoffice.Office" oor:name="CalcAddIns">\n <node oor:name="AddInInfo">\n'
        f'  <node oor:name="{SERVICE}" oor:op="replace">\n   <node oor:name="AddInFunctions">\n'
        f"{''.join(map(_function, FUNCTIONS))}   </node>\n  </node>\n </node>\n</oor:component-data>\n"
    )


def _function(one: Function) -> str:
    arguments = "".join(
        f'      <node oor:name={quoteattr(argument.key)} oor:op="replace">\n'
        f"{''.join(_said('DisplayName', *argument.name))}{''.join(_said('Description', *argument.help))}"
        "      </node>\n"
        for argument in one.arguments
    )
    return (
        f'    <node oor:name="{one.method}" oor:op="replace">\n'
        f"{''.join(_said('DisplayName', one.name, one.name))}{''.join(_said('Description', *one.help))}"
        '     <prop oor:name="Category"><value>Add-In</value></prop>\n'
        f'     <prop oor:name="CompatibilityName"><value xml:lang="en">{one.name}</value></prop>\n'
        f'     <node oor:name="Parameters">\n{arguments}     </node>\n    </node>\n'
    )


def _said(name: str, english: str, spanish: str) -> Iterator[str]:
    yield f'     <prop oor:name="{name}"><value xml:lang="en">{escape(english)}</value>'
    yield f'<value xml:lang="es">{escape(spanish)}</value></prop>\n'
