"""A bash script of kubectl commands, numbered, that can be run again.

No value is ever an argument of a process: what a command line holds, every user of the machine can read. The
values go from files, a terminal or another command through shell variables into pipes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from textwrap import indent
from typing import Final

from arcan_gitops.bootstrap.objects import Authority, Secret, Value
from arcan_gitops.bootstrap.outputs.texts import ca_command, comments, title
from arcan_gitops.bootstrap.requirements import Requirements
from arcan_gitops.deploy.names import CA_KEY, SERVER_NAMESPACE, TLS_CERT, TLS_KEY, TLS_SECRET
from arcan_gitops.overlay.credentials import Credential
from arcan_gitops.webhook import SECRET_LABEL_NAME, SECRET_LABEL_VALUE

_FUNCTIONS: Final = Path(__file__).resolve().parent / "functions.sh"
_PLAIN: Final = re.compile(r"[^\"\\$`!\x00-\x1f]*")


def as_commands(needed: Requirements, context: str | None) -> str:
    """The script, for kubectl's context `context` or whatever is current."""
    steps = [
        _namespaces(needed),
        *_certificate(needed),
        *(_secret(secret, needed.secrets) for secret in needed.secrets),
        *_authorities(needed),
        _waking(needed),
    ]
    numbered = "\n".join(
        f"# {number}. {step}" for number, step in zip(count(1), filter(None, steps), strict=False)
    )
    head = "#!/usr/bin/env bash\n" + comments(_head(needed)) + "\n" + _FUNCTIONS.read_text("utf-8")
    if context is not None:
        head += f'\nkubectl() {{ command kubectl --context={shlex.quote(context)} "$@"; }}\n'
    # a function, so that bash has read all of it before a question reads standard input
    return f"{head}\nmain() {{\n{indent(numbered, '  ')}}}\n\nmain\n"


def _head(needed: Requirements) -> Iterator[str]:
    yield from title(needed, "commands")
    yield f"Read it, save it, run it in the repository: bash bootstrap-{needed.overlay.name}.sh"
    yield ""
    yield "Each value comes from a file below the folder $VALUES, or is asked for. What is in the cluster"
    yield "already stays as it is, so it can be run again; REPLACE='NAMESPACE/NAME ...' (or all) replaces it."
    for note in needed.notes:
        yield f"{note} It is not made here."
    if files := sorted(_files(needed)):
        yield ""
        yield "What has several lines is not asked for, so the first run needs these files there:"
        yield from (f"  $VALUES/{file}" for file in files)


def _files(needed: Requirements) -> set[str]:
    """The files of what comes from files only."""
    values = {value for secret in needed.secrets for value in secret.values.values()}
    values |= {authority.value for authority in needed.authorities if authority.value is not None}
    return {value.file for value in values if value.from_file}


def _namespaces(needed: Requirements) -> str:
    names = needed.namespaces
    if not names:
        return ""
    return "The namespaces\n" + "".join(f"namespace {name}\n" for name in names)


def _waking(needed: Requirements) -> str:
    if not needed.waiting:
        return ""
    lines = ["What waited for all this, told to look again"]
    for namespace in needed.waiting:
        if namespace is None:
            lines.append("wake clusterexternalsecrets external-secrets.io/force-sync")
        else:
            lines.append(f"wake externalsecrets force-sync --namespace={namespace}")
    return _joined(lines)


def _secret(secret: Secret, secrets: Sequence[Secret]) -> str:
    lines = [
        f"Secret {secret.name} in namespace {secret.namespace}, for {secret.of}",
        _lacks("secret", secret.namespace, secret.name, secret.values),
        'if [ -n "$lacking" ]; then',
    ]
    for number, (key, value) in enumerate(secret.values.items(), start=1):
        lines += [f"  {line}" for line in _obtain(key, value, secret, secrets)]
        lines.append(f"  value{number}=$value")
    lines.append(f"  kubectl create secret generic {secret.name} --namespace={secret.namespace} \\")
    lines += [
        f'    --from-file={key}=<(printf %s "$value{number}") \\'
        for number, key in enumerate(secret.values, start=1)
    ]
    lines.append("    --dry-run=client --output=yaml | apply")
    lines += [_made(secret.namespace, secret.name), "fi"]
    if secret.labelled:
        lines += [
            f"kubectl label secret {secret.name} --namespace={secret.namespace} --overwrite \\",
            f"  {SECRET_LABEL_NAME}={SECRET_LABEL_VALUE}",
        ]
    return _joined(lines)


def _obtain(key: str, value: Value, secret: Secret, secrets: Sequence[Secret]) -> Iterator[str]:
    """The lines that set $value: what the cluster has comes before a file, a question or a new token."""
    if value.from_file:
        yield _call("take", value)
        return
    places = [f"{secret.namespace}/{secret.name}"]
    if value.token is not None:
        places += [place for place in _places(value.token, secrets) if place not in places]
    if len(places) == len(secret.values) == 1:  # it is known to lack just this
        yield from _source(key, value, places)
        return
    yield f"held {key} {' '.join(places)}"
    yield 'if [ -z "$value" ]; then'
    yield from (f"  {line}" for line in _source(key, value, places))
    yield "fi"


def _source(key: str, value: Value, places: Sequence[str]) -> Iterator[str]:
    """The lines that set $value to what none of the places has."""
    if value.token is None:
        yield _call("ask", value)
        return
    function = "regain" if value.recorded else "mint"
    yield f"{function} {key} {value.token.realm} {value.token.token} \\"
    yield f"  {value.file} {_quoted(value.what)} {_quoted(value.scope.strip())} {' '.join(places)}"


def _places(token: Credential, secrets: Sequence[Secret]) -> Iterator[str]:
    """The Secrets that hold a token, as `namespace/name`."""
    for secret in secrets:
        if any(value.token == token for value in secret.values.values()):
            yield f"{secret.namespace}/{secret.name}"


def _certificate(needed: Requirements) -> Iterator[str]:
    if needed.certificate_hosts is None:
        return
    command = ca_command(needed.certificate_hosts)
    yield _joined(
        [
            f"Secret {TLS_SECRET} in namespace {SERVER_NAMESPACE}, the server's certificate under its own CA",
            "# The CA stays in $VALUES/tls, and the next certificate is under the same one; without VALUES",
            "# its key is kept nowhere, and a renewal is a new CA.",
            _lacks("secret", SERVER_NAMESPACE, TLS_SECRET, (TLS_CERT, TLS_KEY, CA_KEY)),
            'if [ -n "$lacking" ]; then',
            f"  {command} \\",
            '    ${VALUES:+"--output-dir=$VALUES/tls"} | apply',
            _made(SERVER_NAMESPACE, TLS_SECRET),
            "fi",
        ]
    )


def _authorities(needed: Requirements) -> Iterator[str]:
    """One step for each CA. The server's own is copied each time, for a renewal has to reach every copy."""
    groups: dict[str, list[Authority]] = {}
    for authority in needed.authorities:
        groups.setdefault("" if authority.value is None else authority.value.file, []).append(authority)
    for file in sorted(groups):
        first = groups[file][0].value
        if first is None:
            lines = [
                "The CA of the server's certificate, where its stores look for it",
                f"held {CA_KEY} {SERVER_NAMESPACE}/{TLS_SECRET}",
                'if [ -z "$value" ]; then',
                f'  echo "there is no Secret {TLS_SECRET} yet: deploy the server, and run this again" >&2',
                "  exit 1",
                "fi",
            ]
            for authority in groups[file]:
                lines += _config_map(authority)
        else:
            lines = [f"{first.what[0].upper()}{first.what[1:]}"]
            for authority in groups[file]:
                lines += [
                    _lacks("configmap", authority.namespace, authority.name, (authority.key,)),
                    'if [ -n "$lacking" ]; then',
                    f"  {_call('take', first)}",
                    *(f"  {line}" for line in _config_map(authority)),
                    "fi",
                ]
        yield _joined(lines)


def _config_map(authority: Authority) -> Iterator[str]:
    """The lines that make it of $value."""
    yield f"kubectl create configmap {authority.name} --namespace={authority.namespace} \\"
    yield f"  --from-file={authority.key}=<(printf '%s\\n' \"$value\") \\"
    yield "  --dry-run=client --output=yaml | apply"


def _lacks(kind: str, namespace: str, name: str, keys: Iterable[str]) -> str:
    return f"lacks {kind} {namespace} {name} {' '.join(keys)}"


def _made(namespace: str, name: str) -> str:
    return f'  made="${{made}}{namespace}/{name} "'


def _call(function: str, value: Value) -> str:
    return f"{function} {value.file} {_quoted(value.what)}"


def _quoted(text: str) -> str:
    """In double quotes where that is safe, for it reads better around 'shop'."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else shlex.quote(text)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
