"""The method of a stored version and its capabilities, read from the version's settings; no model is loaded."""

from patchcore import methods
from patchcore.methods import DEFAULT_METHOD, lacking, method
from workbench.storage.tables import InspectorVersion


def method_of(version: InspectorVersion) -> str:
    """Return the name of a version's method; a version from before there were several has none stored."""
    return str(version.settings.get("method", DEFAULT_METHOD))


def method_label(version: InspectorVersion) -> str:
    """Return a version's method as people write it."""
    return method(method_of(version)).label


def refusal(version: InspectorVersion, capability: str) -> str:
    """Return the sentence that says why a version cannot do something of `methods.LACKING`; "" where it can."""
    return lacking(method_of(version), capability)


def require_capability(version: InspectorVersion, capability: str) -> None:
    """Refuse what the method of a version cannot do.

    Raises
    ------
    SettingsError
        The method lacks the capability; the sentence names the method.
    """
    methods.require_capability(method_of(version), capability)
