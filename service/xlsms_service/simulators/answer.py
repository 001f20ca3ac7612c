"""What virtual phones answer, in Spanish and English."""

import re

__all__ = ["ANSWERS", "in_language_of"]

#: Pairs of Spanish and English. The first is the commonest; dealt in order, so that a few phones already differ.
ANSWERS: tuple[tuple[str, str], ...] = (
    ("SI", "YES"),
    ("NO", "NO"),
    ("¿A qué hora era?", "What time was it?"),
    ("Sí, allí estaré. Gracias", "Yes, I will be there. Thanks"),
    ("STOP", "STOP"),
    ("SI", "YES"),
    ("Vale 👍 ¡nos vemos mañana!", "OK 👍 see you tomorrow!"),
    (
        """Hola, gracias por avisar. El lunes no puedo ir porque salgo de viaje con la familia y no vuelvo hasta el \
domingo por la noche; ¿se puede cambiar para el martes por la tarde o el jueves a primera hora? Un saludo""",
        """Hello, thank you for letting me know. I can't make it on Monday because I am travelling with the family and \
won't be back before Sunday night; could we move it to Tuesday afternoon or Thursday morning? Best wishes""",
    ),
    ("SI", "YES"),
    ("No podré, ¿puede ser el jueves?", "I can't make it, could it be Thursday?"),
    ("si", "Yes!"),
    (
        """Sí, confirmo 😊 Llegaré unos minutos tarde porque el autobús no pasa antes; \
¿avisáis a la médica, por favor?""",
        """Yes, confirmed 😊 I’ll be a few minutes late because there’s no earlier bus; \
could you tell the doctor, please?""",
    ),
)

_SPANISH = re.compile(
    r"[ñ¿¡áéíóú]|\b(?:el|la|los|las|su|de|del|que|para|por|cita|hola|gracias|responda|confirme)\b", re.IGNORECASE
)


def in_language_of(message: str, answer: tuple[str, str]) -> str:
    """The Spanish text when the message looks Spanish, else the English one."""
    return answer[0] if _SPANISH.search(message) else answer[1]
