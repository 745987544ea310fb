"""Numbers, money and chance: functions to make programming tasks from."""

from collections import Counter
from fractions import Fraction


def coins_for(amount: int, coins: list[int]) -> list[int] | None:
    """Return the fewest coins that add up to an amount, largest first, or None.

    Works for any set of coins, also where taking the largest coin first is wrong.
    """
    best: list[list[int] | None] = [[]]
    for sum_ in range(1, amount + 1):
        found: list[int] | None = None
        for coin in coins:
            rest = best[sum_ - coin] if coin <= sum_ else None
            if rest is not None and (found is None or len(rest) + 1 < len(found)):
                found = sorted([*rest, coin], reverse=True)
        best.append(found)
    return best[amount]


def egyptian(share: Fraction) -> list[int]:
    """Write a fraction between 0 and 1 as a sum of different unit fractions, greedily.

    The result holds the denominators: 5/6 becomes [2, 3].
    """
    denominators = []
    while share > 0:
        denominator = -(-share.denominator // share.numerator)
        denominators.append(denominator)
        share -= Fraction(1, denominator)
    return denominators


def fair_split(total_cents: int, weights: list[int]) -> list[int]:
    """Split an amount by weights so that no cent is lost.

    Everybody gets the amount rounded down; the cents that are left go to those who lost the
    largest part of a cent, the first among equals.
    """
    whole = sum(weights)
    shares = [total_cents * weight // whole for weight in weights]
    lost = [total_cents * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-lost[at], at))
    for at in order[: total_cents - sum(shares)]:
        shares[at] += 1
    return shares


def kaprekar_steps(number: int) -> int:
    """Count the steps until a number of four digits becomes 6174, or -1 where it never does.

    A step sorts the digits downwards and upwards and takes the difference of the two numbers.
    """
    steps = 0
    while number != 6174:
        digits = sorted(f"{number:04d}")
        number = int("".join(reversed(digits))) - int("".join(digits))
        steps += 1
        if number == 0:
            return -1
    return steps


def modes(values: list[int]) -> list[int]:
    """Return the values that occur most often, smallest first; an empty list has none."""
    counts = Counter(values)
    most = max(counts.values(), default=0)
    return sorted(value for value, count in counts.items() if count == most)
