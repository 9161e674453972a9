"""What the benchmark of the server compares it with, under the same Granian: constant answers, no decision.

Granian is started with `bench_peer_apps:plain` or `bench_peer_apps:flask`. The bodies are the files of the
folder in the environment variable BENCH_BODIES, by their names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response

_BODIES = {f"/{path.name}": path.read_bytes() for path in Path(os.environ["BENCH_BODIES"]).iterdir()}


def plain(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> list[bytes]:
    """A WSGI callable that does as little as one can."""
    body = _BODIES[environ["PATH_INFO"]]
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


flask = Flask("bench", static_folder=None)


@flask.get("/<name>")
def trivial(name: str) -> Response:
    """A route of Flask's that does as little as one can."""
    return Response(_BODIES[f"/{name}"], content_type="application/json")
