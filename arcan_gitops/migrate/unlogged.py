"""Client libraries log what they send and receive; this silences them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection


@contextmanager
def unlogged() -> Iterator[None]:
    """No log record of this process goes anywhere, and no HTTP client prints its traffic.

    botocore and the Kubernetes client log whole answers at the level DEBUG, urllib3 logs addresses, and
    `http.client` prints headers where its debug level is set: by whatever else runs in this process, or by a
    configuration that comes with the environment.
    """
    level, printing = logging.root.manager.disable, HTTPConnection.debuglevel
    logging.disable(logging.CRITICAL)
    HTTPConnection.debuglevel = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
        HTTPConnection.debuglevel = printing
