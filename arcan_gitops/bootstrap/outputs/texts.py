"""What all outputs say in the same words, as comments."""

from __future__ import annotations

from collections.abc import Iterator

from arcan_gitops.bootstrap.objects import Value
from arcan_gitops.bootstrap.requirements import Requirements
from arcan_gitops.deploy.names import SERVER_NAMESPACE, TLS_SECRET


def title(needed: Requirements, output: str) -> Iterator[str]:
    """What it is, what made it, and that nothing in it is secret."""
    yield f"What Git must not hold, for overlay '{needed.overlay.name}'."
    option = "" if output == "commands" else f" --format={output}"
    yield f"Made by 'arcan bootstrap {needed.overlay.name}{option}'; no value is in it."


def certificate_note(needed: Requirements) -> Iterator[str]:
    """For outputs that cannot make a certificate themselves."""
    if needed.certificate_hosts is not None:
        yield f"Secret {TLS_SECRET} of namespace {SERVER_NAMESPACE}, the server's certificate, is made by:"
        yield f"  {ca_command(needed.certificate_hosts)} | kubectl apply --server-side -f -"


def ca_command(hosts: tuple[str, ...]) -> str:
    """`arcan bootstrap ca`, for these hosts."""
    return " ".join(["arcan bootstrap ca --format=secret", *(f"--host={host}" for host in hosts)])


def token_command(value: Value) -> str:
    """The command that makes a token: a new one, or the replacement of a recorded one."""
    token = value.token
    assert token is not None  # only tokens are made by a command
    if value.recorded:
        return f"arcan token rotate {token.token} --realm={token.realm}"
    return f"arcan token create --realm={token.realm} --name={token.token} --policy=read-only{value.scope}"


def made_by(value: Value) -> str:
    """Where a token comes from; of a recorded one, the text was shown once."""
    return f"{'recorded already; who has lost it: ' if value.recorded else 'made by: '}{token_command(value)}"


def comments(lines: Iterator[str]) -> str:
    """Shell, YAML and HCL have the same comments. A line break in a text, of any kind, starts another one."""
    parts = (part for line in lines for part in line.splitlines() or [""])
    return "".join(f"# {part}".rstrip() + "\n" for part in parts)
