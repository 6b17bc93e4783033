"""The configuration: scan.yaml and the environment, typed and checked.

    config = load(Path("scan.yaml"), os.environ)
    config.period, config.program.watchdog.timeout    # seconds
    config.servers.modbus.listen.port

It knows nothing of the machinery that it configures.
"""

from config.address import Address
from config.alerts import Alerts
from config.channels import urls
from config.environment import secret
from config.loader import load
from config.modbus import ModbusServer
from config.model import Capacity, Config, LogFiles, OpcUaServer, RestServer, Servers
from config.problem import ConfigurationError, Problem
from config.program import BLOCKS, Program

__all__ = [
    "BLOCKS",
    "Address",
    "Alerts",
    "Capacity",
    "Config",
    "ConfigurationError",
    "LogFiles",
    "ModbusServer",
    "OpcUaServer",
    "Problem",
    "Program",
    "RestServer",
    "Servers",
    "load",
    "secret",
    "urls",
]
