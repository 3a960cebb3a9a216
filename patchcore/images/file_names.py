"""Names of files: suffixes of images, an operating system's own files, and display on one line."""

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp"}
)


SETTINGS_FOLDERS = frozenset(
    {"appdata", "application data", "library"}
)  # settings' folders of Windows and macOS


def display_name(name: str) -> str:
    """Put a name on one line: control characters and undecodable bytes become escapes."""
    if name.isprintable():
        return name
    shown = (c if c.isprintable() else c.encode("unicode_escape", "replace").decode("ascii") for c in name)
    return "".join(shown)


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Tell whether a relative path belongs to an operating system, not to the user."""
    return any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini") for part in parts)


def is_private(parts: tuple[str, ...]) -> bool:
    """Tell whether a path below a home or another root leads to a folder of programs' settings."""
    return is_hidden(parts) or (bool(parts) and parts[0].casefold() in SETTINGS_FOLDERS)
