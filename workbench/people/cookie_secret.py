"""The cookie secret: whether a stranger could guess it, and so forge an engineer's cookie.

Streamlit signs every sign-in cookie with this one text. A text from public instructions, or one found by trying,
proves nothing.
"""

import re
from itertools import pairwise

SHORTEST = 32  # characters; `secrets.token_hex` gives 64
FEWEST_DIFFERENT = 8  # signs; a random text of 32 has more
LONGEST_UNIT = 15  # characters that a repetitive text repeats
COMMAND = "python -c 'import secrets; print(secrets.token_hex())'"

PUBLIC_WORDS = (
    # the command itself, as here and in other instructions
    *("tokenhex", "tokenurlsafe", "importsecrets", "opensslrand", "uuidgen"),
    # placeholders for a secret in instructions
    *(
        "longrandom",
        "strongrandom",
        "randomlygenerated",
        "randomtext",
        "randomstring",
        "randomsecret",
        "randomvalue",
    ),
    *(
        "changeme",
        "changethis",
        "pleasechange",
        "replaceme",
        "replacethis",
        "replacewith",
        "placeholder",
        "example",
    ),
    *(
        "secrethere",
        "yoursecret",
        "yourcookie",
        "yourown",
        "yourstrong",
        "insertyour",
        "puthere",
        "putyour",
        "fillin",
    ),
    *(
        "cookiesecret",
        "clientsecret",
        "secretkey",
        "mysecret",
        "supersecret",
        "verysecret",
        "topsecret",
        "notsecret",
    ),
    *("oauth2callback", "openidconfiguration", "streamlit", "patchcore"),
    # common passwords typed in a hurry
    *(
        "password",
        "passwort",
        "letmein",
        "qwerty",
        "asdfgh",
        "loremipsum",
        "correcthorse",
        "abcdefgh",
        "12345678",
    ),
)
"""Words of instructions and of the commonest passwords, in small letters and digits alone."""


def weakness(secret: object) -> str | None:
    """Return the fault of a cookie secret, as words that continue "cookie_secret"; None for a good one."""
    if not isinstance(secret, str):
        return "is not a text in quotation marks"
    text = _squeezed(secret)
    if not text:
        return "is empty"
    if len(text) < SHORTEST:
        spaces = " without the spaces" if len(text) < len(secret) else ""
        return f"has {len(text)} characters{spaces}, and takes at least {SHORTEST}"
    words = re.sub("[^a-z0-9]", "", text.casefold())
    if any(known in words for known in PUBLIC_WORDS) or "://" in text:
        return "consists of words from public instructions, so anybody may know it"
    if len(set(text)) < FEWEST_DIFFERENT or _repeats(text) or _counts(text):
        return "repeats itself, so it can be guessed"
    return None


def _squeezed(secret: str) -> str:
    """Return a text without invisible differences: no spaces around it, and at most one between two words."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in secret).split())


def _repeats(text: str) -> bool:
    """Whether a text repeats one short text."""
    return any(text[step:] == text[:-step] for step in range(1, LONGEST_UNIT + 1))


def _counts(text: str) -> bool:
    """Whether most signs equal the one before them or stand next to it in the alphabet."""
    steps = [abs(ord(one) - ord(other)) <= 1 for one, other in pairwise(text)]
    return sum(steps) > len(steps) * 2 / 3
