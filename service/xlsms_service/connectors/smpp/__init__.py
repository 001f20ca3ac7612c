"""Links to an operator over SMPP 3.4."""

from xlsms_service.connectors.smpp.connector import SmppConnector
from xlsms_service.connectors.smpp.settings import SmppSettings, settings_from

__all__ = ["SmppConnector", "SmppSettings", "settings_from"]
