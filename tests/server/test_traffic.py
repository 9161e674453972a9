"""Counts and latencies of what is answered: bounded, added up over workers, and without names of keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.edge import Edge
from arcan_gitops.server.traffic import BUCKETS, MOST_SERIES, OTHERS, Shared, Traffic, histogram, read
from tests.support import edge_answers

ONE = ("key", 200, "shop", "prod")


def test_each_answer_is_in_the_bucket_of_its_time() -> None:
    region = Shared(1).region(0)
    traffic = Traffic(region)
    for seconds in (0.0001, 0.00025, 0.0003, 0.3, 7.0):
        traffic.count(ONE, seconds)
    traffic.publish()
    counts = read(region)
    assert counts is not None
    assert counts[ONE][:-1] == [2, 1, *[0] * (len(BUCKETS) - 2), 2]
    assert counts[ONE][-1] == pytest.approx(7.30065)
    lines = list(histogram("arcan_d", counts))
    labels = 'route="key",status="200",realm="shop",environment="prod"'
    assert lines[0] == f'arcan_d_bucket{{{labels},le="0.00025"}} 2'
    assert f'arcan_d_bucket{{{labels},le="+Inf"}} 5' in lines
    assert lines[-2:] == [f"arcan_d_sum{{{labels}}} 7.300650", f"arcan_d_count{{{labels}}} 5"]


def test_workers_are_added_up_and_a_dead_one_is_gone_on_with() -> None:
    shared = Shared(2)
    for row in (0, 1):
        child = os.fork()
        if child == 0:
            traffic = Traffic(shared.region(row))
            for _ in range(3):
                traffic.count(ONE, 0.001)
            traffic.publish()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert shared.total()[ONE][2] == 6
    again = Traffic(shared.region(0))
    again.count(ONE, 0.001)
    again.publish()
    assert shared.total()[ONE][2] == 7
    assert shared.total()[ONE][2] == 7  # adding up changes nothing


def test_what_is_being_written_is_taken_as_it_was() -> None:
    shared = Shared(1)
    traffic, region = Traffic(shared.region(0)), shared.region(0)
    traffic.count(ONE, 0.001)
    traffic.publish()
    assert shared.total()[ONE][2] == 1
    region[0] |= 1  # as a process leaves it that is killed while it writes
    assert shared.total()[ONE][2] == 1
    assert Traffic(region).tick() is None


def test_how_many_series_there_are_is_bounded() -> None:
    region = Shared(1).region(0)
    traffic = Traffic(region)
    for number in range(MOST_SERIES + 500):
        traffic.count(("key", 200, f"realm-{number}" + "r" * 50, "e" * 63), 0.001)
    traffic.publish()
    counts = read(region)
    assert counts is not None
    assert len(counts) == MOST_SERIES + 1
    assert counts["key", 200, OTHERS, OTHERS][2] == 500


@pytest.mark.parametrize(
    ("path", "token", "series"),
    [
        (f"{edge_answers.ONE}?env=prod", "full", ("key", 200, "shop", "prod")),
        ("/api/v1/eso/shop?env=prod", "full", ("all_keys", 200, "shop", "prod")),
        ("/api/v1/eso/shop/NOPE?env=prod", "full", ("key", 404, "shop", "prod")),
        ("/api/v1/eso/nowhere/KEY?env=prod", "full", ("key", 403, "unknown", "unknown")),
        ("/api/v1/eso/shop/KEY?env=nowhere", "full", ("key", 400, "unknown", "unknown")),
        (f"{edge_answers.ONE}?env=prod", None, ("other", 401, "", "")),
        ("/anything/at/all", "full", ("other", 400, "", "")),
        ("/api/v1/status", "full", ("status", 403, "", "")),
    ],
)
def test_labels_are_names_of_what_is_served_and_no_others(
    tmp_path: Path, path: str, token: str | None, series: tuple[str, int, str, str]
) -> None:
    process, region = edge_answers.Process(), Shared(1).region(0)
    traffic = Traffic(region)
    audit = AuditLog(str(tmp_path / "log"))
    edge = Edge(process, audit, process, clock=lambda: edge_answers.NOW, traffic=traffic)
    target, _, query = path.partition("?")
    edge.respond(edge_answers.Asked(target, query, token=token).environ())
    traffic.publish()
    counts = read(region)
    assert counts is not None
    assert list(counts) == [series]
