"""Drawing faults, one after the other; the same seed draws the same."""

from __future__ import annotations

import random
from pathlib import Path

from tests.support.faults.kinds import draw
from tests.support.faults.law import Broken, Law
from tests.support.faults.world import Layout, World


def run(folder: Path, faults: int, seed: int, layout: Layout = "document") -> World:
    """Draw so many faults; between them files are changed as people change them. Raises `Broken`, naming the
    seed and the number of the fault.
    """
    world = World(folder, random.Random(seed), seed % 2 == 1, layout)
    law = Law(world)
    for number in range(faults):
        if world.random.random() < 0.15:
            world.restore()
        if world.random.random() < 0.3:
            world.change()
        name = draw(world)
        try:
            world.reload()
            law.hold(name)
        except Broken as error:
            raise Broken(f"seed {seed}, {layout}, fault {number}, {error}") from None
    return world
