"""A repository of many declared apps, for a benchmark: nothing in it is secret, and its key is thrown away.

    python scripts/bench_fleet.py FOLDER APPS {namespaced,cluster-wide,key-files}

Each app declares one Kubernetes Secret of five keys. Twenty apps are a team, with a realm of its own whose
document is encrypted by age. `namespaced`: every app has a namespace, a token and so a store to itself.
`cluster-wide`: a team has one namespace and one token, and one cluster-wide store serves all its apps, which
leaves Kustomize little to build beside the ExternalSecrets. `key-files`: as `cluster-wide`, and all apps are
of one realm, which has a file for each key, in 16 ConfigMaps.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

import pyrage

from arcan_gitops import sops
from arcan_gitops.access import READ_ONLY, TokenRecord, mint
from arcan_gitops.yamlio import emit

OVERLAY: Final = "prod"
_FILES: Final = "key-files"
_SCOPES: Final = {"namespaced": "namespace", "cluster-wide": "cluster", _FILES: "cluster"}
_TEAM: Final = 20  # apps
_KEYS: Final = ("DATABASE_URL", "REDIS_URL", "SMTP_PASSWORD", "API_TOKEN", "SIGNING_KEY")


def make(root: Path, apps: int, kind: str) -> None:
    """Write `kustomize/` and `realms/` below `root`."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    declared = root / "kustomize" / "apps"
    declared.mkdir(parents=True)
    settings = {"stores": {"scope": _SCOPES[kind]}, "overlays": {OVERLAY: {"environment": OVERLAY}}}
    (root / "kustomize" / "arcan.yaml").write_text(emit([settings]))
    size = apps if kind == _FILES else _TEAM
    for first in range(0, apps, size):
        team = f"team-{first // size:04d}"
        names = [f"app-{at:05d}" for at in range(first, min(first + size, apps))]
        owners = {name: name if kind == "namespaced" else team for name in names}
        keys = {name: [f"{name.upper().replace('-', '_')}_{key}" for key in _KEYS] for name in names}
        for name, owner in owners.items():
            entries = [{"key": key, "as": own} for key, own in zip(keys[name], _KEYS, strict=True)]
            app = {"name": name, "realm": team, "token": owner, "namespace": owner}
            text = emit([{**app, "secrets": [{"name": name, "keys": entries}]}])
            (declared / f"{name}.yaml").write_text(text)
        realm = root / "realms" / team
        realm.mkdir(parents=True)
        values = {key: token_urlsafe(24) for name in names for key in keys[name]}
        if kind == _FILES:
            (realm / "realm.yaml").write_text(emit([{"shards": 16}]))
            (realm / OVERLAY).mkdir()
            for key, value in values.items():
                document = sops.encrypt({key: value}, recipients=[recipient], place=f"{team}/{OVERLAY}")
                (realm / OVERLAY / f"{key}.sops.yaml").write_bytes(document)
        else:
            (realm / f"{OVERLAY}.sops.yaml").write_bytes(sops.encrypt(values, recipients=[recipient]))
        tokens = [_token(owner) for owner in dict.fromkeys(owners.values())]
        (realm / "tokens.yaml").write_text(emit([{"version": 1, "tokens": tokens}]))


def _token(name: str) -> dict[str, object]:
    minted, now = mint(), datetime.now(UTC).replace(microsecond=0)
    return TokenRecord(minted.id, name, READ_ONLY, None, None, now, None, minted.digest).to_plain()


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
