"""The kubeconform engine: `kubeconform -strict`, schemas at hand, no network.

It decides; `explain` words its refusals, for kubeconform's messages quote values. Manifests go through its
standard input, since one of them may be a Secret and a temporary file would hold it unencrypted.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any, Final, Self

from arcan_gitops.errors import ArcanError
from arcan_gitops.validate.engine import Case
from arcan_gitops.validate.explain import Judges, message, path_text
from arcan_gitops.validate.printed import Quotable
from arcan_gitops.validate.results import Result, Status
from arcan_gitops.validate.schemaset import SchemaSet
from arcan_gitops.yamlio import emit

# kubeconform v0.7.0 judges slices of its 4 MiB read buffer while it reads on, and the buffer moves once half
# of it is used (pkg/resource/stream.go, bufio.Scanner): past 2 MiB a document could change under it.
_BATCH_BYTES: Final = 1 << 20
_TIMEOUT_SECONDS: Final = 120
_VERSION: Final = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+\b|development\b")
_NO_VERSION: Final = "of a version that it does not say"
_LAYOUT: Final = "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"


class KubeconformFailed(ArcanError):
    """kubeconform is missing, or did not answer for every manifest."""


class Kubeconform:
    """Wraps the program."""

    name: Final = "kubeconform"

    def __init__(self, program: str) -> None:
        self._program = program
        self._judges = Judges()

    @classmethod
    def find(cls) -> Self | None:
        """The kubeconform on PATH, or None."""
        program = shutil.which("kubeconform")
        return cls(program) if program is not None else None

    def judge(self, cases: Sequence[Case], schemas: SchemaSet) -> list[Result]:
        """One result a case, in order. Raises `KubeconformFailed`."""
        return [result for batch in _batches(cases) for result in self._batch(batch, schemas)]

    def _batch(self, batch: Sequence[tuple[Case, str]], schemas: SchemaSet) -> list[Result]:
        locations = [
            argument for root in schemas.roots for argument in ("-schema-location", f"{root}/{_LAYOUT}")
        ]
        # -n 1: one worker, so that the answers come in the order of the manifests
        options = ["-strict", "-verbose", "-output", "json", "-n", "1"]
        manifests = "".join(text for _, text in batch).encode()
        printed = b""
        try:
            done = subprocess.run(
                [self._program, *options, *locations, "-"],
                input=manifests,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                env={},
                check=False,
            )
            printed = done.stderr
            answers = json.loads(done.stdout)["resources"]
        except subprocess.TimeoutExpired:
            raise KubeconformFailed(f"kubeconform took more than {_TIMEOUT_SECONDS} s") from None
        except (OSError, ValueError, KeyError):
            raise KubeconformFailed(
                f"kubeconform {self._version()} did not run as it should{_said(printed, manifests)}",
                hint="kubeconform v0.7.0 is what this is tested with; --engine embedded needs none",
            ) from None
        if len(answers) != len(batch):
            raise KubeconformFailed(f"kubeconform gave {len(answers)} answers for {len(batch)} manifests")
        return [self._result(case, answer) for (case, _), answer in zip(batch, answers, strict=True)]

    def _version(self) -> str:
        try:
            done = subprocess.run(
                [self._program, "-v"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                env={},
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return _NO_VERSION
        found = _VERSION.match(done.stdout.decode(errors="replace"))
        return found[0] if found else _NO_VERSION

    def _result(self, case: Case, answer: dict[str, Any]) -> Result:
        status = answer.get("status")
        if status == "statusValid":
            return case.manifest.result(Status.VALID)
        # it gives a name that is no text as its own error, which breaks the schema too
        problems = self._judges.problems(case.manifest, case.schema)
        if problems:
            return case.manifest.result(Status.INVALID, message(problems))
        if status == "statusInvalid":
            return case.manifest.result(Status.INVALID, message(_places(answer)))
        return case.manifest.result(Status.ERROR, "kubeconform could not judge it")  # skipped and empty too


def _said(printed: bytes, manifests: bytes) -> str:
    quotable = Quotable()
    quotable.add(manifests)
    said = quotable.masked(printed.decode(errors="replace"))
    return f": it printed: {said}" if said else ""


def _places(answer: dict[str, Any]) -> tuple[str, ...]:
    """Where kubeconform sees a problem, without its words."""
    pointers = {str(error.get("path", "")) for error in answer.get("validationErrors") or [{}]}
    places = sorted(path_text(pointer.strip("/").split("/")) if pointer else "" for pointer in pointers)
    return tuple(
        f"{place}: refused by kubeconform" if place else "refused by kubeconform" for place in places
    )


def _batches(cases: Sequence[Case]) -> Iterator[list[tuple[Case, str]]]:
    """Cases with their YAML, no more than `_BATCH_BYTES` of it at once unless one alone is larger."""
    batch: list[tuple[Case, str]] = []
    size = 0
    for case in cases:
        text = emit([case.manifest.body])
        if batch and size + len(text.encode()) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append((case, text))
        size += len(text.encode())
    if batch:
        yield batch
