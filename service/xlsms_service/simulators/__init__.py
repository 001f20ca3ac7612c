"""Networks to rehearse with: servers that speak the real protocols, and the virtual phones behind them."""

from xlsms_service.simulators.exchange import Event, Settings
from xlsms_service.simulators.network import IdForm, Network
from xlsms_service.simulators.phones import Behaviour, Pace, Population
from xlsms_service.simulators.record import Counters, Taken, TakenPart
from xlsms_service.simulators.script import read_script
from xlsms_service.simulators.smsc import Server, Smsc

__all__ = [
    "Behaviour",
    "Counters",
    "Event",
    "IdForm",
    "Network",
    "Pace",
    "Population",
    "Server",
    "Settings",
    "Smsc",
    "Taken",
    "TakenPart",
    "read_script",
]
