"""Names in PostgreSQL of the rows in the image."""

from __future__ import annotations

from runtime.equipment import Equipment


class Names:
    """What station and pump a slot stands for. A slot stands for the same one for life."""

    def __init__(self, equipment: Equipment) -> None:
        self.stations = {station.slot: station.station_id for station in equipment.stations}
        self.pumps = {pump.slot: (pump.station_id, pump.pump_id) for pump in equipment.pumps}

    def of(self, tag: str, slot: int) -> tuple[str | None, int | None]:
        """Station and pump of a row of a tag such as "Pump.Mode"; None where there is none."""
        if tag.startswith("Pump."):
            return self.pumps.get(slot, (None, None))
        if tag.startswith("Station."):
            return self.stations.get(slot), None
        return None, None

    def path(self, tag: str, slot: int) -> str:
        """As in the address space of OPC UA: station/pump/Tag."""
        table, _, name = tag.partition(".")
        known = [str(part) for part in self.of(tag, slot) if part is not None]
        if table == "System":
            known = [table]
        return "/".join([*(known or [f"{table} slot {slot}"]), name])
