"""Mistakes of the hand. A mistyped text always differs from the original.

Digits get one wrong digit, or two different neighbours swapped; of the two, swaps are 11 % (79.0 %
single digits against 10.2 % adjacent transpositions of all errors: Verhoeff, Error Detecting
Decimal Codes, 1969). Both always break the check of an ID number; a swap of 0 and 9 passes Luhn.
"""

from __future__ import annotations

from scenarios.population.names import given_characters
from scenarios.population.phones import is_mobile

_SWAPS = 10.2 / (79.0 + 10.2)
_PREFIX = 3


def mistype(text: str, uniform: float) -> str:
    """`text` with one mistake, chosen by `uniform` in [0, 1).

    A mobile number keeps its prefix, and so its form. A text with other than digits (and an ID
    number's final X) is taken for a name: one character of its given name is another one.
    Raises ValueError when `text` is empty.
    """
    if not text:
        raise ValueError("nothing to mistype in an empty text")
    digits = text.removesuffix("X")
    if not (digits.isascii() and digits.isdigit()):
        return _wrong_character(text, uniform)
    first = _PREFIX if is_mobile(text) else 0
    swaps = [i for i in range(first, len(digits) - 1) if digits[i] != digits[i + 1]]
    if swaps and uniform < _SWAPS:
        at = swaps[_choice(uniform / _SWAPS, len(swaps))]
        return f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}"
    share = (uniform - _SWAPS) / (1 - _SWAPS) if swaps else uniform
    return _wrong_digit(text, first, share)


def _wrong_digit(text: str, first: int, share: float) -> str:
    at, step = divmod(_choice(share, (len(text) - first) * 9), 9)
    at += first
    wrong = str(step) if text[at] == "X" else str((int(text[at]) + 1 + step) % 10)
    return f"{text[:at]}{wrong}{text[at + 1 :]}"


def _wrong_character(name: str, uniform: float) -> str:
    characters = given_characters()
    first = 1 if len(name) > 1 else 0
    places = len(name) - first
    at, choice = divmod(_choice(uniform, places * len(characters)), len(characters))
    at += first
    wrong = characters[choice]
    if wrong == name[at]:
        wrong = characters[choice - 1]
    return f"{name[:at]}{wrong}{name[at + 1 :]}"


def _choice(share: float, count: int) -> int:
    return min(int(share * count), count - 1)  # a share just below 1 may have been rounded up
