"""The set-up of signing in: whether anything asks for it, and the fault that keeps it from working.

Everything that an administrator touches to set signing in up counts as a wish that people sign in, also a misspelt,
misplaced or unreadable file or value. A wish that cannot be met keeps everybody out; the sentence says what to write.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.people import accounts
from workbench.people.cookie_secret import COMMAND, weakness
from workbench.people.secrets_files import ends_streamlit, is_there, sections, there_or_alike, why_unreadable
from workbench.people.sign_in_providers import (
    FROM_THEM,
    REQUIRED,
    is_web_address,
    providers_in,
    wrong_provider,
)

SECTION = "auth"
GUIDE = "docs/signing_in.md"
USUAL_FILE = Path(".streamlit/secrets.toml")
RETURN = "/oauth2callback"
OF_SECTION = {"redirect_uri", "cookie_secret", *REQUIRED}
ALIKE = ("auth", "oidc", "openid", "login", "log_in", "signin", "sign_in", "sso")
"""Words in the names of sections that are meant to be ``[auth]``."""

VARIABLES = (
    accounts.VARIABLE,
    "STREAMLIT_AUTH",
    "STREAMLIT_SECRETS",
    "STREAMLIT_SERVER_COOKIE_SECRET",
    "STREAMLIT_SERVER_TRUSTED_USER_HEADERS",
)
"""Prefixes of the environment variables that concern signing in."""


@dataclass(frozen=True)
class Wish:
    """Something that asks for signing in.

    Attributes
    ----------
    reason
        As words that continue "because".
    undo
        The remedy, as words that continue "If nobody is to sign in,".
    """

    reason: str
    undo: str


@dataclass(frozen=True)
class Setup:
    """The set-up as it was read.

    Attributes
    ----------
    wishes
        All that asks for signing in.
    files
        The files and folders that Streamlit reads for secrets, whether or not they exist.
    secrets
        The values that Streamlit has read in them; None where it could read nothing.
    headers
        Whether Streamlit takes names of people from headers of requests.
    """

    wishes: tuple[Wish, ...] = ()
    files: tuple[Path, ...] = (USUAL_FILE,)
    secrets: Mapping[str, Any] | None = None
    headers: bool = False

    @property
    def is_on(self) -> bool:
        """Whether people have to sign in."""
        return bool(self.wishes)

    @property
    def section(self) -> Mapping[str, Any]:
        """The values in ``[auth]``; empty where it is not a section."""
        section = (self.secrets or {}).get(SECTION)
        return section if isinstance(section, Mapping) else {}

    @property
    def providers(self) -> list[str | None]:
        """The names of the providers to choose from; None stands for a single provider without a name."""
        names = list(providers_in(self.section))
        return [None] if None in names else names

    @property
    def present(self) -> list[Path]:
        """The files of secrets that exist."""
        return [path for path in self.files if is_there(path)]

    @property
    def file(self) -> str:
        """The file to look into, as a sentence names it."""
        return " or ".join(map(str, self.present or self.files[-1:] or [USUAL_FILE]))

    def fault(self) -> str | None:
        """Return why nobody can sign in, as a sentence; None where people can, or need not."""
        if not self.is_on:
            return None
        return self._unread() or self._no_section() or self._headers() or self._wrong_value()

    def fault_that_ends_streamlit(self) -> str | None:
        """Return the fault if Streamlit's server would end at it instead of showing a page."""
        if not self.is_on:
            return None
        ends = (self.secrets or {}).get(SECTION) or any(map(ends_streamlit, self.present))
        return self._unread() or self._no_section() if ends else None

    def _unread(self) -> str | None:
        if self.secrets is not None:
            return None
        if not self.present:
            return f"{self._because()}, but there is no file {self.file}. Write it as {GUIDE} shows.{self._undo()}"
        faults = [f"{path} {what}" for path in self.present if (what := why_unreadable(path))]
        what = (
            " and ".join(faults) or f"{self.file} cannot be read as secrets; the log has Streamlit's reason"
        )
        return f"{self._because()}, but {what}. {GUIDE} shows what belongs there.{self._undo()}"

    def _no_section(self) -> str | None:
        if self.secrets is None or isinstance(self.secrets.get(SECTION), Mapping):
            return None
        if SECTION in self.secrets:
            return f"{self.file}: {SECTION} is a value. Write a line [{SECTION}] instead, and its values below that."
        if not OF_SECTION.isdisjoint(self.secrets):
            return f"{self.file}: the values for signing in stand in no section. Write a line [{SECTION}] above them."
        alike = [name for name in self.secrets if any(word in name.casefold() for word in ALIKE)]
        if alike:
            return (
                f"{self.file}: the section [{alike[0]}] is not read. Name it [{SECTION}], in small letters."
            )
        lacks = f"{self.file} has no section [{SECTION}]. Write it as {GUIDE} shows."
        return f"{self._because()}, but {lacks}{self._undo()}"

    def _headers(self) -> str | None:
        if not self.headers:
            return None
        return (
            "server.trustedUserHeaders is set, so a person's name is taken from a header that any browser can send. "
            f"Take that option away, and let people sign in as {GUIDE} shows."
        )

    def _wrong_value(self) -> str | None:
        where = f"{self.file}, section [{SECTION}"
        if what := _wrong_return(self.section.get("redirect_uri")):
            return f"{where}]: redirect_uri {what}. Write the dashboard's address with {RETURN} behind it."
        if what := _wrong_secret(self.section):
            return f"{where}]: cookie_secret {what}. Write what this prints: {COMMAND}"
        providers = providers_in(self.section)
        for name, values in providers.items():
            if what := wrong_provider(name, values):
                return f"{where}]: {what}" if name is None else f"{where}.{name}]: {what}"
        return None if providers else f"{where}]: client_id is not there. {FROM_THEM}"

    def _because(self) -> str:
        return "People have to sign in here, because " + " and ".join(wish.reason for wish in self.wishes)

    def _undo(self) -> str:
        undo = dict.fromkeys(wish.undo for wish in self.wishes)
        return f" If nobody is to sign in, {' and '.join(undo)}, and start the dashboard again."


def wishes_of_files(files: Iterable[Path]) -> Iterator[Wish]:
    """Yield the wishes in the files of secrets, and in the settings beside them."""
    for path in files:
        for found in there_or_alike(path):
            yield Wish(f"there is {found}", f"remove {found}")
        settings = path.parent / "config.toml"
        for name in sections(settings):
            if any(word in name.casefold() for word in ALIKE):
                yield Wish(
                    f"{settings} has a section [{name}], which is not read there", f"remove [{name}] there"
                )


def wishes_of_people(path: Path) -> Iterator[Wish]:
    """Yield the wish that a list of people makes."""
    for found in there_or_alike(path):
        yield Wish(f"there is a list of people, {found}", f"remove {found}")


def wishes_of_variables(names: Iterable[str]) -> Iterator[Wish]:
    """Yield the wishes of environment variables; empty variables count too."""
    for name in sorted(names):
        if name.upper().startswith(VARIABLES):
            yield Wish(f"the environment variable {name} is set", f"take {name} away")


def _wrong_return(address: object) -> str | None:
    if address is None:
        return "is not there"
    if not isinstance(address, str) or not is_web_address(address.replace("{port}", "1")):
        return "is not an address that begins with https:// or http://"
    return None if address.endswith(RETURN) else f"does not end in {RETURN}"


def _wrong_secret(section: Mapping[str, Any]) -> str | None:
    secret = section.get("cookie_secret")
    if secret is None:
        return "is not there"
    others = (section, *providers_in(section).values())
    same = [key for one in others for key, value in one.items() if value == secret and key != "cookie_secret"]
    return weakness(secret) or (f"is the same as {same[0]}" if same else None)
