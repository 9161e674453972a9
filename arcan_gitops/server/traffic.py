"""How many requests were answered, and how fast: by route, status, realm and environment.

Each worker counts in memory of its own, in the one thread that answers, without a lock. Once a second it
copies what changed to memory that all processes share; the main process adds the workers up when it is
scraped. The counters of a worker that died stay, and are gone on with by the one that takes its row.
"""

from __future__ import annotations

import json
import mmap
import struct
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

BUCKETS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)  # seconds, each the most
ONE_KEY_ROUTE: Final = "key"
ALL_KEYS_ROUTE: Final = "all_keys"
STATUS_ROUTE: Final = "status"
OTHER_ROUTE: Final = "other"  # what was refused before its path was looked at, or has no such path
UNKNOWN: Final = "unknown"  # a realm or environment that is not served, whatever it was called
OTHERS: Final = "others"  # what is beyond the bound
MOST_SERIES: Final = 1000  # in a worker

_REGION_BYTES: Final = 1 << 20
_HEADER: Final = struct.Struct("<QQ")  # a number that is odd while writing, and the length of what follows
_PUBLISH_SECONDS: Final = 1.0
_TRIES: Final = 5

Series = tuple[str, int, str, str]  # route, status, realm, environment
Counts = dict[Series, list[float]]  # of each bucket, of what is slower, and the sum of the seconds


class Shared:
    """A region for each row of workers; anonymous memory, of which only what is used is taken."""

    def __init__(self, rows: int) -> None:
        self._memory = mmap.mmap(-1, rows * _REGION_BYTES)
        self._rows = rows
        self._last: dict[int, Counts] = {}

    def region(self, row: int) -> memoryview:
        """That of a row."""
        return memoryview(self._memory)[row * _REGION_BYTES : (row + 1) * _REGION_BYTES]

    def total(self) -> Counts:
        """All rows together. What is being written is taken as it was before."""
        total: Counts = {}
        for row in range(self._rows):
            found = read(self.region(row))
            if found is not None:
                self._last[row] = found
            for series, counts in self._last.get(row, {}).items():
                before = total.get(series, [0] * len(counts))
                total[series] = [one + more for one, more in zip(before, counts, strict=True)]
        return total


class Traffic:
    """The counters of one process."""

    def __init__(self, region: memoryview | None = None) -> None:
        self._region = region
        self._counts: Counts = (region is not None and read(region)) or {}
        self._published = 0.0
        self._changed = False

    def count(self, series: Series, seconds: float) -> None:
        """One answer. Called by the thread that answers, and by no other."""
        counts = self._counts.get(series)
        if counts is None:
            counts = self._new(series)
        counts[bisect_left(BUCKETS, seconds)] += 1
        counts[-1] += seconds
        self._changed = True

    def _new(self, series: Series) -> list[float]:
        if len(self._counts) >= MOST_SERIES:
            series = (series[0], series[1], OTHERS, OTHERS)
        return self._counts.setdefault(series, [0] * (len(BUCKETS) + 2))

    def tick(self) -> None:
        """Called often, by another thread: shows the others what changed, once a second."""
        now = time.monotonic()
        if self._region is None or not self._changed or now - self._published < _PUBLISH_SECONDS:
            return
        self._changed, self._published = False, now
        self.publish()

    def publish(self) -> None:
        """Show the others."""
        if self._region is None:
            return
        data = json.dumps([[*series, *counts] for series, counts in list(self._counts.items())]).encode()
        if len(data) > _REGION_BYTES - _HEADER.size:
            return
        number = _HEADER.unpack_from(self._region)[0] | 1
        _HEADER.pack_into(self._region, 0, number, 0)
        self._region[_HEADER.size : _HEADER.size + len(data)] = data
        _HEADER.pack_into(self._region, 0, number + 1, len(data))


def read(region: memoryview) -> Counts | None:
    """What was published last; None where a process writes, or died as it did."""
    for _ in range(_TRIES):
        number, length = _HEADER.unpack_from(region)
        data = bytes(region[_HEADER.size : _HEADER.size + length])
        if number % 2 or _HEADER.unpack_from(region)[0] != number:
            continue
        if not length:
            return {}
        with suppress(ValueError):
            return {
                (route, status, realm, environment): counts
                for route, status, realm, environment, *counts in json.loads(data)
            }
    return None


def histogram(name: str, counts: Mapping[Series, list[float]]) -> Iterable[str]:
    """The samples of a histogram in Prometheus's text format."""
    for (route, status, realm, environment), found in sorted(counts.items()):
        labels = f'route="{route}",status="{status}",realm="{realm}",environment="{environment}"'
        many = 0.0
        for bucket, bound in zip(found, (*map(str, BUCKETS), "+Inf"), strict=False):
            many += bucket
            yield f'{name}_bucket{{{labels},le="{bound}"}} {many:.0f}'
        yield f"{name}_sum{{{labels}}} {found[-1]:.6f}"
        yield f"{name}_count{{{labels}}} {many:.0f}"
