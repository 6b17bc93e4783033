"""`make bench`: how fast the scan is, how punctual, and how soon an emergency stop is in force.

Each figure stands beside its aim, as a ratio of it. Times depend on the machine and on what else it
does, so all are taken in one run, and beside each stands what the machine itself takes: copying the
image once, and cyclictest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass

from runtime import realtime
from tools.bench import lateness, monitoring, opcua, reads, stops, together
from tools.bench.figures import Spread, against, milliseconds, spread

AIMS = {1_000: 0.001, 10_000: 0.005}  # s: execution p99 by number of pumps
RECORDING_AIM = 0.05  # of the execution, at so many pumps:
RECORDED_PUMPS = 1_000
LATENESS_AIM = 2.0  # × cyclictest
STOP_MARGIN = 0.020  # s above two periods
READS_AIMS = {reads.STOCK: 6.0, reads.LIBMODBUS: 0.5}  # × theirs
OPCUA_START, OPCUA_MEMORY, OPCUA_SHARE = 2.0, 400e6, 0.02  # s, bytes, share of a core
MONITORED_SHARE = 0.15  # of a core
TOGETHER_AIM = 0.020  # s, p99 of a read


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    scans: int
    seconds: float
    stops: int


FULL = Amount(scans=2_000, seconds=30.0, stops=30)
QUICK = Amount(scans=200, seconds=5.0, stops=5)


def show_execution(scans: int) -> None:
    print("execution of a scan: latch, all blocks, publish, events; inputs are always new")
    print("    pumps          p50           p99           max   copying     p99 against aim")
    for pumps in (10, 100, 1_000, 10_000):
        command = [sys.executable, "-m", "tools.bench.execution", str(pumps), str(scans)]
        environment = {**realtime.ENVIRONMENT, **os.environ}
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, env=environment
        )
        found = json.loads(done.stdout)
        times, copy = spread(found["times"]), spread(found["copies"])
        aim = AIMS.get(pumps)
        print(
            f"   {pumps:6,}  {_row(times)}  {times.p50 / copy.p50:6.1f} ×  ",
            against(times.p99, aim) if aim else "",
        )
        if pumps == RECORDED_PUMPS:
            recording = found["parts"]["events"] / times.p50
    print(
        f"    recording at {RECORDED_PUMPS:,} pumps, p50: {recording:.1%} of the execution;", end=""
    )
    print(f" {against(recording, RECORDING_AIM)}")
    parts = ", ".join(f"{name} {milliseconds(spent)}" for name, spent in found["parts"].items())
    print(f"    of the last, p50: {parts}; the rest is blocks; {found['events']:.0f} events a scan")
    _tell_missing(found["missing"])


def show_lateness(seconds: float) -> None:
    found = lateness.measure(seconds)
    print(
        f"\nlateness at {lateness.PERIOD * 1e3:.0f} ms, {lateness.PUMPS:,} pumps,"
        f" {found.scans:,} scans, Modbus load {found.reads:,.0f} reads/s"
    )
    print("                   p50           p99           max")
    print(f"    scan    {_row(found.scan)}")
    if found.kernel is None:
        print(
            "    cyclictest  NOT MEASURED: it is not installed (Debian: rt-tests) or not allowed;"
        )
        print("                lateness has nothing to be compared with")
    else:
        ratio = found.scan.p99 / found.kernel.p99
        print(f"    kernel  {_row(found.kernel)}   (cyclictest, same seconds, same core)")
        print(f"    p99: {ratio:.2f} × cyclictest; {against(ratio, LATENESS_AIM)}")
    print(f"    periods skipped: {found.skipped}; {'met' if not found.skipped else 'MISSED'}")
    print(f"    execution meanwhile: {_row(found.execution)}")
    if found.rivals > 0:
        print(f"    NOT ALONE: {found.rivals} real-time processes of the same priority beside it")
    _tell_missing(found.missing)


def show_stops(count: int) -> None:
    found = stops.measure(count)
    aim = 2 * found.period + STOP_MARGIN
    print(
        f"\nemergency stop, request to register, {count} of each, period {found.period * 1e3:g} ms"
    )
    print("                   p50           p99           max     max against aim")
    for protocol, latency in found.latency.items():
        print(f"    {protocol:7} {_row(latency)}   {against(latency.most, aim)}")


def show_opcua(seconds: float) -> None:
    found = opcua.measure(seconds)
    start, memory = found.start, found.memory
    print(f"\nOPC UA, {opcua.PUMPS:,} pumps, {found.nodes:,} nodes, nobody monitors")
    print(f"    process to first answer {start:8.2f} s      {against(start, OPCUA_START)}")
    print(f"        of which processor time {found.busy:.2f} s")
    print(f"        the very first time {found.first:.2f} s, making its certificate and key")
    print(f"    memory {memory / 1e6:25.0f} MB     {against(memory, OPCUA_MEMORY)}")
    print(f"    of a core {found.share * 100:22.2f} %      {against(found.share, OPCUA_SHARE)}")


def show_monitoring(seconds: float) -> None:
    found = monitoring.measure(seconds)
    print(f"\nOPC UA, {monitoring.ITEMS:,} monitored values that all change once a second")
    print(f"    of a core {found.share * 100:22.2f} %      {against(found.share, MONITORED_SHARE)}")
    print(f"    for each change {found.cost * 1e6:16.2f} µs of processor time")
    arrived = "met" if not found.missed + found.bad else "MISSED"
    print(f"    changes told {found.told:,}, not told {found.missed:,}; {arrived}")


def show_together(seconds: float) -> None:
    found = together.measure(seconds)
    print(f"\n{together.CLIENTS} clients of each protocol, ten reads a second of each, at once")
    print("                   p50           p99           max     p99 against aim")
    for name, times in found.answers.items():
        print(f"    {name:7} {_row(times)}   {against(times.p99, TOGETHER_AIM)}")
        rate, cost = found.rates[name], found.costs[name]
        print(
            f"            {rate:,.0f} reads per second, each {cost * 1e6:.0f} µs of processor time"
        )
    print(f"    lateness of the scan at {together.PERIOD} {_row(found.scan)}")
    print(f"    periods skipped: {found.skipped}; {'met' if not found.skipped else 'MISSED'}")


def show_reads(seconds: float) -> None:
    found = reads.measure(seconds)
    print(f"\nModbus: reads of 100 registers, {reads.CONNECTIONS} connections")
    print("                          per second           p50           p99   cost of a read")
    for name, rate in found.items():
        print(
            f"    {name:18}  {rate.rate:14,.0f}  {milliseconds(rate.p50)}  {milliseconds(rate.p99)}"
            f"  {rate.cost * 1e6:9.1f} µs"
        )
    ours = found[reads.OURS].rate
    for name, aim in READS_AIMS.items():
        if name not in found:
            print(f"    NOT COMPARED with {name}: it is not installed (Debian: libmodbus5)")
            continue
        ratio = ours / found[name].rate
        verdict = "met" if ratio >= aim else "MISSED"
        print(f"    {ratio:.2f} × {name}; aim at least {aim:g} ×  {verdict}")


def _row(found: Spread) -> str:
    return "  ".join(milliseconds(value) for value in (found.p50, found.p99, found.most))


def _tell_missing(missing: list[str]) -> None:
    for word in missing:
        print(f"    NO REAL TIME: {word}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short look; tails mean little")
    amount = QUICK if parser.parse_args().quick else FULL
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}", end=", ")
    print(f"load before: {load:.1f}\n")
    show_execution(amount.scans)
    show_lateness(amount.seconds)
    show_stops(amount.stops)
    show_reads(amount.seconds)
    show_opcua(amount.seconds / 2)
    show_monitoring(max(amount.seconds * 2 / 3, 10.0))
    show_together(amount.seconds / 2)


if __name__ == "__main__":
    main()
