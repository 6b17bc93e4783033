"""What the database process finds amiss and the scan can't see: inputs that are alarms."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from runtime.layout import Columns
from runtime.security.expiry import first_end
from runtime.tag import Tag
from runtime.tags import System

STALLED_S = 60.0  # without a batch stored; one may take half of it
RECENT_S = 600.0  # for which something that happened once is told
LOW = 512 << 20  # bytes left on the disk: twice what the history leaves to the rest
LOOK_S = 5.0
DAY_S = 86_400.0
AHEAD: dict[Tag, float] = {
    System.CertificateEndsToday: DAY_S,
    System.CertificateEndsThisWeek: 7 * DAY_S,
    System.CertificateEndsThisMonth: 30 * DAY_S,
}
"""How long before the end of a certificate each alarm comes."""

LONG_AGO = float("-inf")


class Findings:
    """Each attribute has one writer among the threads. Times are on the monotonic clock."""

    def __init__(self) -> None:
        self.full = False
        """PostgreSQL has no room for records."""
        self.stored = time.monotonic()
        """When a batch was last stored, or none waited."""
        self.refused = 0
        """Records that PostgreSQL refused so far."""
        self.refused_at = LONG_AGO
        self.contradicted_at = LONG_AGO
        """When the audit log was last found to contradict its anchor."""
        self.disk_low = False
        self.certificate_end = 0.0
        """UTC (s) of the first end of a certificate in use; 0 if there is none."""

    def resume(self, columns: Columns) -> None:
        """Go on from the inputs of a process before this one, which did not say since when."""
        now, value = time.monotonic(), columns.value
        self.full = bool(value(System.DatabaseFull))
        self.refused = int(value(System.RefusedRecords))
        self.refused_at = now if value(System.RecordsRefused) else LONG_AGO
        self.contradicted_at = now if value(System.AuditContradicted) else LONG_AGO
        self.disk_low = bool(value(System.DiskLow))
        self.certificate_end = float(value(System.CertificateEnd))

    def put(self, columns: Columns) -> None:
        """Put them into the inputs."""
        now = time.monotonic()
        columns[System.DatabaseFull][0] = self.full
        columns[System.UploadsStalled][0] = now - self.stored > STALLED_S
        columns[System.RefusedRecords][0] = self.refused
        columns[System.RecordsRefused][0] = now - self.refused_at < RECENT_S
        columns[System.AuditContradicted][0] = now - self.contradicted_at < RECENT_S
        columns[System.DiskLow][0] = self.disk_low
        end = self.certificate_end
        columns[System.CertificateEnd][0] = end
        for tag, ahead in AHEAD.items():
            columns[tag][0] = end > 0.0 and end - time.time() < ahead


class DiskWatch(threading.Thread):
    """Looks how much room the disk has, and when the certificates on it end.

    A thread of its own, since a broken disk may hang.
    """

    def __init__(self, directory: Path, certificates: Path, findings: Findings) -> None:
        super().__init__(name="disk watch", daemon=True)
        self._directory = directory
        self._certificates = certificates
        self._findings = findings

    def run(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK_S)

    def look(self) -> None:
        """Look once. What can't be asked is told by whoever can't write to it."""
        try:
            disk = os.statvfs(self._directory)
        except OSError:
            return
        self._findings.disk_low = disk.f_bavail * disk.f_frsize < LOW
        self._findings.certificate_end = first_end(self._certificates)
