"""A fake cluster behind a `kubectl` on PATH, and what was done to it."""

from __future__ import annotations

import base64
import marshal
import sys
from pathlib import Path
from typing import Any

import yaml

_FAKE = Path(__file__).with_name("fake_kubectl.py")
_LIBRARIES = Path(yaml.__file__).parents[1]


class FakeCluster:
    """`path` goes first on PATH: it holds `kubectl`, and an `arcan` that notes its arguments too."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bin"
        self.path.mkdir(parents=True)
        self._state = folder / "cluster.state"
        self._arcan_calls = folder / "arcan.log"
        self._save({"objects": {}, "calls": []})
        self._program("kubectl", f'exec {sys.executable} -I -S "{_FAKE}" "{self._state}" "{_LIBRARIES}" "$@"')
        run = "from arcan_gitops.cli import main; main()"
        self._program("arcan", f'echo "$*" >> "{self._arcan_calls}"\nexec {sys.executable} -c "{run}" "$@"')

    def _program(self, name: str, text: str) -> None:
        (self.path / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.path / name).chmod(0o755)

    def _save(self, state: dict[str, Any]) -> None:
        self._state.write_bytes(marshal.dumps(state))

    @property
    def _now(self) -> dict[str, Any]:
        state: dict[str, Any] = marshal.loads(self._state.read_bytes())
        return state

    @property
    def objects(self) -> dict[str, Any]:
        """ "kind/namespace/name" -> {"data": ..., "labels": ...}, as the API server keeps them."""
        objects: dict[str, Any] = self._now["objects"]
        return objects

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every kubectl so far."""
        calls: list[list[str]] = self._now["calls"]
        return calls

    @property
    def arcan_calls(self) -> list[str]:
        """The arguments of every arcan so far."""
        return self._arcan_calls.read_text().splitlines() if self._arcan_calls.exists() else []

    def secret(self, place: str) -> dict[str, str]:
        """The values of the Secret at `namespace/name`."""
        data = self.objects[f"secret/{place}"]["data"]
        return {key: base64.b64decode(text).decode() for key, text in data.items()}

    def labels(self, place: str) -> dict[str, str]:
        """The labels of the Secret at `namespace/name`."""
        labels: dict[str, str] = self.objects[f"secret/{place}"]["labels"]
        return labels

    def say(self, path: str, answer: str) -> None:
        """What `kubectl get --raw` prints for a path."""
        state = self._now
        state["objects"][f"raw//{path}"] = {"data": {"answer": answer}, "labels": {}}
        self._save(state)

    def put(self, place: str, **data: str) -> None:
        """An object that is there already; its namespace too."""
        kind, namespace, _ = place.split("/")
        state = self._now
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        state["objects"][f"namespace//{namespace}"] = {"data": {}, "labels": {}}
        state["objects"][place] = {"data": encoded if kind == "secret" else data, "labels": {}}
        self._save(state)

    def remove(self, place: str) -> None:
        """The object is not there any more."""
        state = self._now
        del state["objects"][place]
        self._save(state)

    def refuses(self, place: str, times: int, *, also_empty: bool = False) -> None:
        """So often it does not take the object of that place; one without data it takes all the same."""
        state = self._now
        state["refused"] = {place: (times, also_empty)}
        self._save(state)

    def goes_away_after(self, calls: int | None) -> None:
        """From now on that many calls of kubectl succeed; None: all."""
        state = self._now
        state["fail_after"] = None if calls is None else len(state["calls"]) + calls
        self._save(state)
