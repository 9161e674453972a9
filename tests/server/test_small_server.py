"""The main process answers on the workers' listener only while no worker does."""

from __future__ import annotations

import socket
import ssl
import threading

from arcan_gitops.server.small_server import Reply, SmallServer


def test_a_connection_that_comes_after_the_stand_in_ended_is_left_to_the_workers() -> None:
    """It had waited for one since before: a server with a worker was said to have none."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked, standing_in = threading.Event(), True

    def active() -> bool:
        asked.set()
        return standing_in

    server = SmallServer(listener, context, lambda method, path: Reply(503, b""), active)
    server.start()
    assert asked.wait(60)
    standing_in = False
    asked.clear()
    with listener, socket.create_connection(listener.getsockname()) as client:
        assert asked.wait(60)  # the stand-in has seen the connection, or waits no more
        client.settimeout(60)
        taken, peer = listener.accept()
        with taken:
            assert peer == client.getsockname()
    standing_in = True  # sees that the listener is closed, and ends
