"""Cookie secrets: a text that anybody could guess or read somewhere is refused."""

import re
import secrets

import pytest

from tests.pages.texts import ROOT
from workbench.people.cookie_secret import COMMAND, weakness

GUIDE = (ROOT / "docs" / "signing_in.md").read_text(encoding="utf-8")
FORMER_WORDS = "a long random text: python -c 'import secrets; print(secrets.token_hex())'"
GOOD = "5e0c1f7ad92b48603be1f5d7c8a94e6203d7b1fa68c95e240b8fd3617ca9e052"


@pytest.mark.parametrize(
    "secret",
    [
        GOOD,
        GOOD[:32],
        f"{GOOD}\n",
        "Grünkohl im Nebel, siebzehn Möwen, ein Fahrrad",
    ],
)
def test_a_random_secret_of_32_characters_is_accepted(secret):
    assert weakness(secret) is None


def test_every_output_of_the_command_is_accepted():
    for _ in range(500):
        made = (secrets.token_hex(), secrets.token_hex(16), secrets.token_urlsafe(24))
        assert [weakness(one) for one in made] == [None] * 3


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("", "is empty"),
        (" " * 64, "is empty"),
        ("\u200b\u00a0\t\n" * 16, "is empty"),
        (GOOD[:31], "has 31 characters, and takes at least 32"),
        (f"{GOOD[:31]} ", "has 31 characters without the spaces"),
        (GOOD[:20] + " " * 40, "has 20 characters without the spaces"),
        (GOOD[:16] + " " * 30 + GOOD[16:30], "has 31 characters without the spaces"),
        (GOOD[:20] + "\u200b" * 40, "has 20 characters"),
        ("xxx", "has 3 characters"),
        (None, "is not a text"),
        (10**40, "is not a text"),
        ([GOOD], "is not a text"),
        (True, "is not a text"),
        *((sign * 40, "repeats itself") for sign in "cx0-ü"),
        ("ab" * 20, "repeats itself"),
        ("changing" * 5, "repeats itself"),
        ("0918273645" * 4 + "09", "repeats itself"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "repeats itself"),
        ("ijklmnopqrstuvwxyz{|}~ijklmnopqrstuvwxyz", "repeats itself"),
        (FORMER_WORDS, "instructions"),
        (FORMER_WORDS.upper(), "instructions"),
        (f"  {FORMER_WORDS}  ", "instructions"),
        (COMMAND, "instructions"),
        ("A long, random text goes here, please", "instructions"),
        ("your-cookie-secret-goes-here-in-production", "instructions"),
        ("replace-me-with-a-long-text-of-your-choice", "instructions"),
        ("CHANGE_ME_CHANGE_ME_1_CHANGE_ME_CHANGE_ME_2", "instructions"),
        ("insert-your-strong-value-of-32-characters", "instructions"),
        ("https://inspection.plant.de/oauth2callback", "instructions"),
        ("MyPassword1MyPassword2MyPassword3MyPassword4", "instructions"),
        ("0123456789abcdef0123456789abcdef", "instructions"),
    ],
)
def test_a_guessable_secret_is_refused_with_the_reason(secret, told):
    assert told in (weakness(secret) or "it will do")


def test_the_guide_prints_no_secret_that_works():
    code = "\n".join(re.findall(r"```\w*\n(.*?)```", GUIDE, re.DOTALL))
    lines = [line.strip() for line in code.splitlines() if "cookie_secret" in line]
    assert len(lines) == 1
    values = [*re.findall(r'"([^"]*)"', code), *re.findall(r"'([^']*)'", code), *lines]
    values += [lines[0].partition(": ")[2], lines[0].partition("# ")[2]]
    assert COMMAND in lines[0] and all(weakness(value) for value in values)
