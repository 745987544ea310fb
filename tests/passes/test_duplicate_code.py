from __future__ import annotations

from engine.core import Drop, Outcome, Record
from engine.passes.duplicate_code import PASS
from tests.conftest import settle

PRIME = "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, n))"
SAME_NAME = "def isPrime(number):\n    if number < 2:\n        return False\n    return True"
NEAR = PRIME.replace("is_prime", "prime")
OTHER = "class Queue:\n    def push(self, item):\n        self.items = [*self.items, item]"


def records(*codes: object, first: int = 0) -> list[Record]:
    return [Record(f"r{n}", "sw", (), {"code": code}) for n, code in enumerate(codes, first)]


def told(outcomes: list[Outcome]) -> list[str]:
    return [each.reason if isinstance(each, Drop) else each.id for each in outcomes]


def test_the_first_of_the_same_names_and_of_near_programs_stays() -> None:
    outcomes = settle(PASS, records(PRIME, SAME_NAME, NEAR, OTHER))
    assert told(outcomes) == ["r0", "repeated_names", "near_duplicate_code", "r3"]
    by_name, near = outcomes[1:3]
    assert isinstance(by_name, Drop) and by_name.detail == "isprime as in r0"
    assert isinstance(near, Drop) and near.detail.endswith("with r0")


def test_what_earlier_rounds_kept_comes_first() -> None:
    outcomes = settle(PASS, records(SAME_NAME, OTHER, first=5), records(PRIME))
    assert told(outcomes) == ["repeated_names", "r6"]


def test_names_can_be_left_out_of_it() -> None:
    assert told(settle(PASS, records(PRIME, SAME_NAME), names=False)) == ["r0", "r1"]


def test_a_dropped_program_does_not_take_others_along() -> None:
    """The second falls by its name; what is near to it alone stays."""
    near = SAME_NAME.replace("isPrime", "check_number")
    assert told(settle(PASS, records(PRIME, SAME_NAME, near))) == ["r0", "repeated_names", "r2"]


def test_records_without_code_are_kept_and_so_are_names_in_other_scripts() -> None:
    codes = ("", None, 3, "", "def größe(): return 1", "def 大小(): return [2, 3, 5, 7]")
    assert told(settle(PASS, records(*codes))) == [f"r{n}" for n in range(6)]
