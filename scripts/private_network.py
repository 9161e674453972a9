"""Run a command in a network of its own: loopback only, and host names that lead there.

    python3 scripts/private_network.py NAME=ADDRESS... -- COMMAND...

Everything in 10.96.0.0/16, the addresses of Services, is loopback too. Needs Linux and the right to make
namespaces: root, or a kernel that lets users make their own. Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from install import Failed

SERVICES = "10.96.0.0/16"
INSIDE = "--inside"


def enter(command: list[str]) -> None:
    """Begin again inside. Raises `Failed` where this machine lets nobody make a network."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    apart = ["unshare", *user, "--net", "--mount", "--"]
    tried = subprocess.run([*apart, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        raise Failed(f"no network namespace can be made here: {tried.stderr.strip()}")
    os.execvp(apart[0], [*apart, sys.executable, __file__, INSIDE, *command])  # noqa: S606 - it becomes that program


def set_up(names: list[str]) -> None:
    """Bring loopback up, and the hosts file over the machine's own. Raises `Failed`."""
    with tempfile.NamedTemporaryFile("w", prefix="hosts-", delete=False) as hosts:
        hosts.write("127.0.0.1 localhost\n::1 localhost\n")
        for name in names:
            host, _, address = name.partition("=")
            hosts.write(f"{address} {host}\n")
    os.chmod(hosts.name, 0o644)
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["mount", "--bind", hosts.name, "/etc/hosts"],
        ["ip", "link", "set", "lo", "up"],
        ["ip", "route", "add", "local", SERVICES, "dev", "lo"],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {done.stderr.strip()} (package iproute2 has 'ip')")
    os.unlink(hosts.name)  # it stays mounted


def main() -> None:
    """The command."""
    arguments = sys.argv[1:]
    inside = arguments[:1] == [INSIDE]
    names = arguments[inside:]
    if "--" not in names or names[-1] == "--":
        sys.exit("usage: private_network.py NAME=ADDRESS... -- COMMAND...")
    if not inside:
        enter(names)
    at = names.index("--")
    set_up(names[:at])
    os.execvp(names[at + 1], names[at + 1 :])  # noqa: S606 - it becomes that program


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"private network: {failed}")
