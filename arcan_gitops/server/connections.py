"""The connections of one process as the kernel sees them (tcp(7), proc_pid_fd(5)).

Granian tells the application nothing of a connection but the client's address. The kernel knows the rest:
when data last went out, how much was acknowledged, and what waits for a client that does not read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import socket
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_FDS: Final = "/proc/self/fd"
_SIOCOUTQ: Final = 0x5411  # bytes that are sent and not acknowledged, or not sent yet
# struct tcp_info of linux/tcp.h: unacked (of a listener: its queue), last_data_sent, bytes_acked
_INFO: Final = struct.Struct("=24xI16xI72xQ")
_RESET: Final = struct.pack("ii", 1, 0)
_OVER_IP: Final = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True, slots=True)
class Info:
    """What the kernel says of one TCP socket."""

    queued: int  # of a listener: connections that wait to be accepted
    sent_ago: float  # seconds since data was last sent
    acked: int  # bytes that the client has acknowledged, ever


def descriptors_used() -> int:
    """How many descriptors this process has open."""
    count = os.stat(_FDS).st_size  # since Linux 6.2; before, 0
    return count or len(os.listdir(_FDS))


def descriptors_allowed() -> int:
    """The limit of open files."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def sockets() -> Iterator[tuple[int, int]]:
    """The descriptor and inode of each socket that this process has open."""
    for name in os.listdir(_FDS):
        with contextlib.suppress(OSError):
            status = os.stat(int(name))
            if stat.S_ISSOCK(status.st_mode):
                yield int(name), status.st_ino


def info(descriptor: int) -> Info | None:
    """Of a TCP socket; None for what is none, or no longer."""
    with _borrowed(descriptor) as borrowed, contextlib.suppress(OSError):
        data = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        if len(data) == _INFO.size:
            queued, sent, acked = _INFO.unpack(data)
            return Info(queued, sent / 1000, acked)
    return None


def peer(descriptor: int) -> str | None:
    """The address of the client, as the application knows it; None for what is no connection over IP."""
    with _borrowed(descriptor) as borrowed, contextlib.suppress(OSError):
        if borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) in _OVER_IP:
            address: str = borrowed.getpeername()[0]
            return address.partition("%")[0]  # of a link-local one the interface follows
    return None


def unsent(descriptor: int) -> int:
    """Bytes that the client has not acknowledged yet."""
    buffer = bytearray(4)
    try:
        fcntl.ioctl(descriptor, _SIOCOUTQ, buffer)
    except OSError:
        return 0
    return int.from_bytes(buffer, "little")


def abort(descriptor: int, inode: int) -> bool:
    """End the connection; whoever owns the descriptor sees its end and closes it. Whether it was that one."""
    try:
        own = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return False
    with own, contextlib.suppress(OSError):
        if os.fstat(own.fileno()).st_ino != inode:  # closed meanwhile, and the number used again
            return False
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        own.shutdown(socket.SHUT_RDWR)
        return True
    return False


@contextlib.contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """The descriptor as a socket that does not close it."""
    borrowed = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, fileno=descriptor)
    try:
        yield borrowed
    finally:
        borrowed.detach()
