"""Which module stands behind which `type` of a `[[connector]]`: one line a kind."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from xlsms.errors import UserError
from xlsms_service.config import ConnectorSettings
from xlsms_service.connectors import simulator, smpp
from xlsms_service.connectors.base import Connector, IdForms
from xlsms_service.protocols.smpp.receipt import candidates

__all__ = ["build"]


def build(
    settings: ConnectorSettings, *, now: Callable[[], datetime], rng: Random | None = None
) -> tuple[Connector, IdForms]:
    """The connector of these settings, and how its network may write message ids.

    Raises:
        UserError: a key of the table is wrong, or connectors of this type are not there yet.
    """
    match settings.type:
        case "smpp":
            smpp_settings = smpp.settings_from(settings.options, settings.place)
            return smpp.SmppConnector(settings.name, smpp_settings, clock=now, rng=rng), candidates
        case "simulator":
            simulator_settings = simulator.settings_from(settings.options, settings.place)
            return simulator.SimulatorConnector(settings.name, simulator_settings, clock=now, rng=rng), candidates
        case other:
            raise UserError("connector-type-not-there", place=settings.place("type"), type=other)
