"""Argon2id itself; run as a program, in a process that works in spare time.

It imports nothing else of the shop: what it imports is what that process weighs.
"""

import json
from functools import cache

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.platform import spare_time

_LANES = 1


@cache
def argon2id(memory_kib: int, passes: int) -> argon2.PasswordHasher:
    """What hashes at this cost."""
    return argon2.PasswordHasher(
        time_cost=passes, memory_cost=memory_kib, parallelism=_LANES
    )


def hash_(costs: tuple[int, int], password: bytes) -> str:
    """The hash of a password (PHC), made with *costs*: memory in KiB, passes."""
    return argon2id(*costs).hash(password)


def verify(costs: tuple[int, int], password: bytes, phc: str | None) -> bool:
    """Whether *phc* was made of *password*; no, after a hash of *costs*, without."""
    if phc is None:
        hash_(costs, password)
        return False
    try:
        return argon2id(*costs).verify(phc, password)
    except (VerificationError, InvalidHashError):
        return False


def asked(costs: tuple[int, int], password: bytes, *phc: str | None) -> bytes:
    """The line that asks for ``hash_``, or for ``verify`` if there is a *phc*."""
    return json.dumps([costs, password.hex(), *phc]).encode()


def answer(question: bytes) -> bytes:
    """What was asked for, as JSON."""
    costs, password, *phc = json.loads(question)
    do = verify if phc else hash_
    return json.dumps(do(tuple(costs), bytes.fromhex(password), *phc)).encode()


if __name__ == "__main__":
    spare_time.serve(answer)
