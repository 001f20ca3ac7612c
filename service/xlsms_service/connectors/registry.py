"""Which module stands behind which `type` of a `[[connector]]`: one line a kind."""

from collections.abc import Callable, Iterable
from datetime import datetime
from random import Random

from xlsms.errors import UserError
from xlsms_service.config import ConnectorSettings
from xlsms_service.connectors import simulator, smpp
from xlsms_service.connectors.base import Connector, IdForms
from xlsms_service.connectors.simulator import Rehearsal
from xlsms_service.protocols.smpp.receipt import candidates

__all__ = ["build", "take_back"]


def build(
    settings: ConnectorSettings,
    *,
    now: Callable[[], datetime],
    rehearsal: Rehearsal,
    rng: Random | None = None,
) -> tuple[Connector, IdForms]:
    """The connector of these settings, and how its network may write message ids.

    `rehearsal` starts the network of a simulator.

    Raises:
        UserError: a key of the table is wrong, or connectors of this type are not there yet.
    """
    match settings.type:
        case "smpp":
            wanted = smpp.settings_from(settings.options, settings.place)
            return smpp.SmppConnector(settings.name, wanted, clock=now, rng=rng), candidates
        case "simulator":
            asked = simulator.settings_from(settings.options, settings.place)
            return simulator.SimulatorConnector(settings.name, asked, rehearsal, clock=now, rng=rng), candidates
        case other:
            raise UserError("connector-type-not-there", place=settings.place("type"), type=other)


def take_back(connectors: Iterable[ConnectorSettings]) -> list[str]:
    """The connectors that can take back what their network has accepted."""
    return [each.name for each in connectors if each.type == "smpp" and each.options.get("cancel") is True]
