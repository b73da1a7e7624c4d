"""Names by ranges of our own: the same on every version of Python."""

from __future__ import annotations

import pytest

from scenarios.population.name_form import LONGEST, is_name
from scenarios.population.names import names


@pytest.mark.parametrize(
    "text",
    [
        "李雷",
        "欧阳娜娜",
        "阿依古丽·买买提",
        "㛃㛃",  # Extension A
        "王\U00020164",  # Extension B
        "王\U0002ebf0",  # Extension I, of Unicode 15.1: unknown to Python 3.11 and 3.12
        "王\U00031350",  # Extension H, of Unicode 15: unknown to Python 3.11
        "王\U000323b0",  # Extension J, of Unicode 17: unknown to Python 3.13
        "〇一",
        "ZHANG SAN",
        "Anne-Marie O'Brien Jr.",
        "José Núñez",
        "Nguyễn Văn An",
    ],
)
def test_a_name(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "李",
        "李" * (LONGEST + 1),
        " 李雷",
        "李雷 ",
        "·李雷",
        "李雷1",
        "李雷２",
        "李\x00雷",
        "李\n雷",
        "李\u202e雷",
        "李\ud800",
        "<b>Li</b>",
        "=cmd|calc",
        "李😀",
        "\ue000雷",  # private use: another character on every machine
    ],
)
def test_no_name(text: str) -> None:
    assert not is_name(text)


def test_every_name_that_is_drawn_is_one() -> None:
    lists = names()
    for given in (*lists.men.items, *lists.women.items):
        assert is_name("李" + given)
    for surname in lists.surnames.items:
        assert is_name(surname + "雷")
