"""python -m tests.support.faults --faults 10000 --seed 7 --layout files"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.support.faults.law import Broken
from tests.support.faults.run import run
from tests.support.faults.world import LAYOUTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=10_000, help="in each layout")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--layout", choices=LAYOUTS, help="this one alone")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends too
    logging.getLogger("arcan").addHandler(logging.NullHandler())  # each fault is meant: nobody need be told
    print(f"seed {arguments.seed}", flush=True)
    for layout in LAYOUTS if arguments.layout is None else (arguments.layout,):
        with tempfile.TemporaryDirectory() as folder:
            try:
                world = run(Path(folder), arguments.faults, arguments.seed, layout)
            except Broken as error:
                sys.exit(f"the law was broken: {error}")
        print(f"{layout}:")
        for name, count in sorted(world.told.items()):
            print(f"{count:6} {name}")
        answers = ", ".join(f"{count} {answer}" for answer, count in world.answers.most_common())
        print(f"answers: {answers}", flush=True)


if __name__ == "__main__":
    main()
