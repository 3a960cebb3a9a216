"""Arguments of jobs: the rules of each kind, checked when a job is resumed and before it starts.

A row may come from a backup that somebody else wrote; a job with unsound arguments is never done.
"""

from collections.abc import Callable, Mapping
from typing import Any

from patchcore.errors import PatchCoreError, SettingsError
from patchcore.files.value_rules import (
    MOST_IMAGES,
    SHA256,
    Unsound,
    items,
    mapping,
    match,
    or_none,
    text,
    whole,
)
from patchcore.images.file_names import display_name
from patchcore.methods import DEFAULT_METHOD, settings_of_others
from patchcore.settings import SETTINGS, check, refusal
from workbench.storage.database import WorkspaceError
from workbench.storage.places import is_id

MOST = 50  # arguments of a job, settings of an inspector
LARGEST_ID = (1 << 63) - 1
LONGEST_NAME, LONGEST_PATH = 10_000, 10_000  # characters
Arguments = Mapping[str, Any]


def check_arguments(kind: str, arguments: object, title: str = "") -> None:
    """Refuse arguments that a kind of job does not accept.

    Parameters
    ----------
    kind
        One of `KINDS`; for any other kind only the inspector is checked.
    title
        The job's, for the sentence.

    Raises
    ------
    WorkspaceError
        An argument is unsound; the message names it.
    """
    try:
        sound_arguments(kind, arguments)
    except Unsound as fault:
        raise _refusal(title or kind, fault) from fault


def check_inspector(arguments: object, title: str) -> None:
    """Refuse arguments with an impossible id of an inspector; errors as for `check_arguments`."""
    try:
        _named_inspector(arguments)
    except Unsound as fault:
        raise _refusal(title, fault) from fault


def sound_arguments(kind: str, arguments: object, *, empty: bool = False) -> None:
    """Check arguments as `check_arguments` does, but raise `Unsound`; `empty` permits a job without arguments."""
    given = _named_inspector(arguments)
    if kind in KINDS and (given or not empty):
        try:
            KINDS[kind](given)
        except KeyError as error:
            raise Unsound(f"its argument {error} is missing") from error


def check_settings(settings: object) -> None:
    """Check the settings of an inspector, as `BuildSettings.to_dict` wrote them."""
    found = mapping(settings, "the settings", MOST)
    method = found.get("method", DEFAULT_METHOD)
    _SETTINGS["method"](method, "the method")
    others = settings_of_others(method)
    for name, rule in _SETTINGS.items():
        if name in found and name in others:
            raise Unsound(refusal(method, name).removesuffix("."))
        if name in found:
            rule(found[name], f"the setting {name}")
        elif name not in others | _OPTIONAL:
            raise Unsound(f"the settings have no {name}")


def row_id(value: Any, what: str) -> None:
    """Check the number of a row."""
    whole(value, what, 1, LARGEST_ID)


def _named_inspector(arguments: object) -> Arguments:
    """Return arguments, if their `inspector_id` can be the id of an inspector."""
    given = mapping(arguments, "the list of arguments", MOST)
    if "inspector_id" in given and not is_id(given["inspector_id"]):
        raise Unsound(f"its inspector_id {given['inspector_id']!r:.80} is not the id of an inspector")
    return given


def _refusal(title: str, fault: Unsound) -> WorkspaceError:
    return WorkspaceError(
        f"The job {display_name(title)} cannot be done: {fault}. Discard it, and start it again."
    )


def _build(arguments: Arguments) -> None:
    _require_inspector(arguments)
    check_settings(arguments["settings"])
    for image in items(arguments["images"], "the list of images", MOST_IMAGES):
        sha256, name = items(image, "an image of the list", 2, exactly=True)
        match(sha256, SHA256, "the SHA-256 of an image")
        text(name, "the name of an image", LONGEST_NAME)


def _sweep(arguments: Arguments) -> None:
    _require_inspector(arguments)
    for name in ("version_id", "bank_id", "batch_id"):  # None: deleted for good
        or_none(row_id)(arguments[name], f"its {name}")
    mapping(arguments["rule"], "its rule", MOST)


def _watch(arguments: Arguments) -> None:
    row_id(arguments["watch_id"], "its watch_id")


def _retain(arguments: Arguments) -> None:
    if arguments:
        raise Unsound("it takes no arguments")


def _require_inspector(arguments: Arguments) -> None:
    if "inspector_id" not in arguments:
        raise Unsound("it names no inspector")


def _setting(name: str) -> Callable[[Any, str], None]:
    """Return the check of a model's setting, in its own sentence."""

    def checked(value: Any, _what: str) -> None:
        try:
            check(name, value)
        except SettingsError as error:
            raise Unsound(str(error).removesuffix(".")) from error

    return checked


def _region(value: Any, what: str) -> None:
    from workbench.storage.roi import Roi  # late: NumPy comes with it, and most jobs draw nothing

    try:
        Roi.from_dict(mapping(value, what, MOST))
    except (PatchCoreError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise Unsound(f"{what} is impossible") from error


KINDS: dict[str, Callable[[Arguments], None]] = {
    "build": _build,
    "sweep": _sweep,
    "retain": _retain,
    "watch": _watch,
}
"""The kinds of jobs, each with the rules for its arguments; `python -m workbench` knows which function does which."""
_SETTINGS: dict[str, Callable[[Any, str], object]] = {
    **{name: _setting(name) for name in SETTINGS},
    "name": lambda value, what: text(value, what, LONGEST_NAME),
    "product": lambda value, what: text(value, what, LONGEST_NAME),
    "weights": or_none(lambda value, what: text(value, what, LONGEST_PATH)),
    "share": or_none(_setting("coreset")),
    "roi": or_none(_region),
}
# The dashboard leaves these at their defaults and does not write them; rows from before the methods have no method.
_OPTIONAL = {"layers", "dims", "reweight", "neighbours", "method"}
