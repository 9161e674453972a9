"""Environments of key files for a test, encrypted by ours, which takes no process for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from arcan_gitops import sops
from arcan_gitops.sops import creating
from arcan_gitops.sops.wrapping import Recipients
from tests.support.realm_files import RealmFiles


def key_path(files: RealmFiles, realm: str, environment: str, key: str) -> Path:
    return files.root / realm / environment / f"{key}.sops.yaml"


def put_key(
    files: RealmFiles,
    place: str,
    key: str,
    value: object,
    *,
    recipients: tuple[str, ...] = (),
    bound: str | None = "",
    beside: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Path:
    """The file of a key at `REALM/ENVIRONMENT`, bound to its place; `bound` to another one, or to none.

    `beside` are more keys in it, and `name` is that of the file, if it is not the key's.
    """
    realm, environment = place.split("/")
    path = key_path(files, realm, environment, name or key)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = sops.encrypt(
        {key: value, **(beside or {})},
        recipients=recipients or (files.recipient,),
        place=place if bound == "" else bound,
    )
    files.replace(path, data)
    return path


def put_keys(files: RealmFiles, place: str, values: Mapping[str, object], **options: Any) -> None:
    for key, value in values.items():
        put_key(files, place, key, value, **options)


@contextmanager
def one_data_key() -> Iterator[None]:
    """What is encrypted meanwhile has one data key, wrapped once for each set of recipients."""
    key, wrapped = creating.new_data_key(), {}
    wrap = creating.wrap

    def once(data_key: bytes, whom: Recipients, needed: int) -> Any:
        name = (whom.groups, needed)
        if name not in wrapped:
            wrapped[name] = wrap(data_key, whom, needed)
        return wrapped[name]

    with patch.object(creating, "new_data_key", lambda: key), patch.object(creating, "wrap", once):
        yield
