"""Which characters every connector can carry without UCS-2, where one can carry less than the GSM alphabet."""

from collections.abc import Sequence

from xlsms_service.config import ConnectorSettings

__all__ = ["repertoire"]

#: Settings of SMPP connectors -> Python's name of the character set, the narrower behind.
_SETS = {"latin1": "latin-1", "ascii": "ascii"}


def repertoire(connectors: Sequence[ConnectorSettings]) -> str | None:
    """The character set of the narrowest connector; None when all carry the whole GSM alphabet.

    A row's connector is chosen only when it goes, so what one of them lacks is planned as UCS-2 for all.
    """
    found = {_of(each) for each in connectors if each.type == "smpp"}
    return next((name for name in reversed(_SETS.values()) if name in found), None)


def _of(connector: ConnectorSettings) -> str | None:
    options = connector.options
    plain = "latin1" if options.get("plain_text") == "latin1" else options.get("data_coding_0")
    return _SETS.get(str(plain))
