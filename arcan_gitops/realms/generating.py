"""New secrets from the operating system's random numbers."""

from __future__ import annotations

import math
import secrets
import string
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """What a generated text is made of: at least one character of each class."""

    classes: tuple[str, ...]
    length: int  # unless another is asked for

    def generate(self, length: int) -> str:
        """One of all the texts of that length with a character of each class, each as likely as the next."""
        alphabet = "".join(self.classes)
        while True:
            text = "".join(secrets.choice(alphabet) for _ in range(length))
            if all(any(char in of for char in text) for of in self.classes):
                return text

    def bits(self, length: int) -> int:
        """The binary logarithm of how many such texts there are, rounded down."""
        sizes = [len(of) for of in self.classes]
        missing = [0]  # how many characters each set of classes has: inclusion and exclusion over those
        signs = [1]
        for size in sizes:
            missing += [size + other for other in missing]
            signs += [-sign for sign in signs]
        count = sum(
            sign * (sum(sizes) - without) ** length for sign, without in zip(signs, missing, strict=True)
        )
        return int(math.log2(count))


# The four signs need no quoting in a URL, and hardly any in a shell.
KINDS: Final = {
    "password": Kind((string.ascii_lowercase, string.ascii_uppercase, string.digits, "-._~"), 32),
    "hex": Kind(("0123456789abcdef",), 64),
    "alphanumeric": Kind((string.ascii_lowercase, string.ascii_uppercase, string.digits), 32),
}
MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 4096
