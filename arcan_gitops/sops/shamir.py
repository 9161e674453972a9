"""Shamir's secret sharing over GF(2^8), byte by byte, as SOPS splits a data key over key groups.

A part is one byte for each byte of the secret, and the x where they were taken as its last byte.
Source: getsops/sops shamir/shamir.go, which is HashiCorp Vault's; the field is AES's (x^8+x^4+x^3+x+1).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

_MAX_PARTS: Final = 255  # x is one byte, and x = 0 is the secret itself


def _tables() -> tuple[list[int], list[int]]:
    """The powers of 3, which generates the field, twice over; and the logarithms to that base."""
    exponents, logarithms = [0] * 510, [0] * 256
    power = 1
    for exponent in range(255):
        exponents[exponent] = exponents[exponent + 255] = power
        logarithms[power] = exponent
        power ^= (power << 1) ^ (0x11B if power & 0x80 else 0)
    return exponents, logarithms


_EXP, _LOG = _tables()


def _multiply(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _divide(a: int, b: int) -> int:
    """`b` is never 0."""
    return _EXP[_LOG[a] + 255 - _LOG[b]] if a else 0


def split(secret: bytes, parts: int, threshold: int) -> list[bytes]:
    """`parts` parts, any `threshold` of which give the secret, and fewer of which say nothing of it.

    Raises `ValueError` where 2 <= threshold <= parts <= 255 does not hold, or the secret is empty.
    """
    if not 2 <= threshold <= parts <= _MAX_PARTS:
        raise ValueError(f"a threshold of {threshold} of {parts} parts")
    if not secret:
        raise ValueError("an empty secret")
    polynomials = [bytes([byte]) + secrets.token_bytes(threshold - 1) for byte in secret]
    return [bytes([*(_at(x, polynomial) for polynomial in polynomials), x]) for x in range(1, parts + 1)]


def _at(x: int, coefficients: bytes) -> int:
    """The polynomial's value at `x` (Horner's rule); the first coefficient is the constant."""
    value = 0
    for coefficient in reversed(coefficients):
        value = _multiply(value, x) ^ coefficient
    return value


def combine(parts: Sequence[bytes]) -> bytes:
    """The secret that the parts were split from; too few, or foreign ones, give something else.

    Raises `ValueError` for fewer than 2 parts, parts of several lengths, and a part that is given twice.
    """
    if len(parts) < 2:
        raise ValueError("fewer than two parts")
    length = len(parts[0])
    if length < 2 or any(len(part) != length for part in parts):
        raise ValueError("parts of a wrong length")
    at = [part[-1] for part in parts]
    if len(set(at)) != len(at):
        raise ValueError("a part is there twice")
    weights = [_weight_at_zero(x, at) for x in at]
    secret = bytearray(length - 1)
    for part, weight in zip(parts, weights, strict=True):
        for index in range(length - 1):
            secret[index] ^= _multiply(part[index], weight)
    return bytes(secret)


def _weight_at_zero(x: int, at: Sequence[int]) -> int:
    """Lagrange's basis polynomial of `x` at 0; adding and subtracting are both XOR."""
    weight = 1
    for other in at:
        if other != x:
            weight = _divide(_multiply(weight, other), x ^ other)
    return weight
