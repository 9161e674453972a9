"""Three fuzzers that hold the reader against the real sops: `python -m tests.support.fuzzing --seconds 60`.

What we accept, sops must accept and read as the same; what sops accepts and we refuse must be refused on
purpose, for a reason in `STRICTER`; and nothing may be raised that is no `SopsError`.
"""

from __future__ import annotations

import argparse
import base64
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from arcan_gitops import sops
from arcan_gitops.sops import yaml_store
from arcan_gitops.sops.cipher import canonical
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from tests.support import crafting
from tests.support.fuzzed_documents import Made, metadata_documents, mutations, random_document, scalars
from tests.support.vectors import Answer, ask_sops, identity, same

IDENTITIES = ("alice",)
KEYS = sops.Identities([identity(name) for name in IDENTITIES])
# Why we refuse what sops accepts, by our error: the table of docs/sops.md.
STRICTER = {
    "ClearLeaf": "",
    "EmptyLeaf": "",
    "NoKeys": "",
    "DuplicateKey": "",
    "TooLarge": "",
    "Unsupported": "alias|YAML tag|almost a timestamp|with a sign inside|comments",
    "Malformed": r"^sops|ENC\[|IV or a tag|comment in the place|of its type|regular expression|data key has"
    "|not JSON: Extra data|lone surrogate|not UTF-8|an empty YAML document|nothing else|the key 'sops'",
}


@dataclass
class Run:
    """What one run found, and how much it tried."""

    random: random.Random
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def compare(self, made: Made, *, chance: float = 1.0) -> None:
        """Read it natively; ask sops where we accept it, and with that chance where we do not."""
        self.counts["read"] += 1
        try:
            ours = sops.load(made.data, format=made.format, identities=KEYS, limits=sops.ANY_VALUES).trees
        except sops.SopsError as error:
            if self.random.random() < chance:
                self._judge_refused(made, error, self._ask(made))
        except Exception as error:
            self._found(made, f"raised {type(error).__name__}: {error}")
        else:
            self._judge_accepted(made, ours, self._ask(made))

    def _ask(self, made: Made) -> Answer:
        self.counts["asked"] += 1
        return ask_sops(made.data, made.format, IDENTITIES)

    def _judge_accepted(self, made: Made, ours: list[Any], answer: Answer) -> None:
        self.counts["accepted"] += 1
        if answer.trees is None:
            self._found(made, f"we accept, sops refuses: {answer.error}")
        elif not same(ours, answer.trees):
            self._found(made, "sops reads other values")
        elif made.truth is not None and not same(made.truth, ours):
            self._found(made, "it reads as other values than were put in")

    def _judge_refused(self, made: Made, error: sops.SopsError, answer: Answer) -> None:
        if answer.trees is None:
            return
        reason = STRICTER.get(type(error).__name__)
        if reason is not None and re.search(reason, re.sub(r"^(key|line) [^:]*: ", "", error.message)):
            self.counts["stricter on purpose"] += 1
        else:
            self._found(made, f"sops accepts, we refuse: {type(error).__name__}: {error}")

    def _found(self, made: Made, what: str) -> None:
        self.findings.append(f"{made.format}: {what}\n  {base64.b64encode(made.data).decode()}")


def fuzz_documents(run: Run) -> None:
    """One random document, and what mutations make of it."""
    made = random_document(run.random)
    run.compare(made)
    for mutated in mutations(run.random, made, 40):
        run.compare(mutated, chance=0.05)


def fuzz_metadata(run: Run) -> None:
    """Documents whose `sops` block is odd."""
    for made in metadata_documents(run.random, 12):
        run.compare(made, chance=0.4)


def fuzz_scalars(run: Run) -> None:
    """Many plain scalars in one document, whose MAC is right only if sops resolves each as we do."""
    batch: dict[str, Any] = {}
    single: list[str] = []
    for text in scalars(run.random, 300):
        try:
            [tree] = yaml_store.parse(f"k: {text}\n".encode(), DEFAULT_LIMITS)
        except sops.SopsError:
            single.append(text)  # not asked together with others, for sops would refuse them all
        else:
            if type(tree["k"]) not in (dict, list):
                batch[text] = tree["k"]
    run.compare(_of_scalars(batch))
    for text in single[:3]:
        run.compare(_of_scalars({text: ""}))


def _of_scalars(batch: dict[str, Any]) -> Made:
    counted = b"".join(canonical(value) for value in batch.values() if value is not None)
    names = [f"k{at}_unencrypted" for at in range(len(batch))]
    tree = crafting.as_yaml(crafting.craft({"a": (b"x", "str")}, KEYS.recipients, clear=counted))
    rows = "".join(f"{name}: {text}\n" for name, text in zip(names, batch, strict=True))
    first, rest = tree.split(b"\n", 1)
    truth = [{"a": "x", **dict(zip(names, batch.values(), strict=True))}]
    return Made(first + b"\n" + rows.encode() + rest, "yaml", truth)


FUZZERS: dict[str, Callable[[Run], None]] = {
    "documents": fuzz_documents,
    "metadata": fuzz_metadata,
    "scalars": fuzz_scalars,
}


def start(name: str, seed: int) -> Run:
    """A run of one fuzzer, whose choices the seed decides (ciphertext is new every time)."""
    return Run(random.Random(f"{seed} {name}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    failed = False
    for name, fuzz in FUZZERS.items():
        run = start(name, arguments.seed)
        end = time.monotonic() + arguments.seconds / len(FUZZERS)
        while time.monotonic() < end:
            fuzz(run)
        print(f"{name}: {dict(run.counts)}, {len(run.findings)} finding(s)", flush=True)
        for finding in run.findings:
            print(finding, flush=True)
        failed = failed or bool(run.findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
