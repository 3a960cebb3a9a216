"""Every error the package raises on purpose, as one tree; an interface need only catch its root.

PatchCoreError
├── SettingsError        a parameter is misspelt, out of range, or does not fit the others
├── ImageError           one image cannot be used; the others can
│   ├── UnreadableImage      not an image, truncated, empty, or of an unsupported kind
│   ├── ImageTooLarge        more pixels or bytes than the limits allow
│   └── FatalImage           processes of the program died on it, three times
├── NoImagesError        nothing usable was left to work on
├── NotFittedError       a model that is not fitted was asked for a score
├── WeightsError         the backbone cannot be used
│   ├── WeightsMissing       the file is not on this machine; the message says which and where
│   └── WeightsMismatch      the file's hash is not the expected one
├── ArtifactError        a saved inspector cannot be loaded: foreign, damaged, or of a newer format
├── DataError            labels, masks or scores that do not fit together
├── Outdated             the inspector changed while it judged; judge again
├── NotKept              a write fails at present, as on a full disk; trying again may help
├── WorkerLost           a process of a build keeps dying, or one that decodes images does not start
└── Cancelled            the caller asked to stop
"""

PROGRAM_FAILED = "the program failed on this file"  # the beginning of `program_fault`
LONGEST_MESSAGE = 4_000  # characters; names and cells of a stranger's file may be longer than any sentence


class PatchCoreError(Exception):
    """Root of the tree. The message is one or two sentences for the person at the screen; a longer one is cut."""

    def __init__(self, *parts: object) -> None:
        super().__init__(*(shortened_sentence(part) if isinstance(part, str) else part for part in parts))


def shortened_sentence(sentence: str, most: int = LONGEST_MESSAGE) -> str:
    """Cut a sentence that is too long to be read."""
    return sentence if len(sentence) <= most else f"{sentence[:most]}…"


class SettingsError(PatchCoreError, ValueError):
    """A parameter is misspelt, out of range, or does not fit the others."""


class ImageError(PatchCoreError):
    """One image cannot be used.

    Parameters
    ----------
    name
        The image as the user knows it.
    reason
        The fault and its remedy, without the name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnreadableImage(ImageError):
    """Not an image, truncated, empty, or of an unsupported kind."""


class ImageTooLarge(ImageError):
    """More pixels or bytes than the limits allow; found before anything is decoded."""


class FatalImage(ImageError):
    """Processes of the program died on it, three times; no further one tries it."""


class NoImagesError(PatchCoreError):
    """Nothing usable was left to work on."""


class NotFittedError(PatchCoreError):
    """A model that is not fitted was asked for a score."""


class WeightsError(PatchCoreError):
    """The backbone cannot be used."""


class WeightsMissing(WeightsError):
    """The file is not on this machine; the message says which file to put where."""


class WeightsMismatch(WeightsError):
    """The file exists, but its hash is not the expected one."""


class ArtifactError(PatchCoreError):
    """A saved inspector cannot be loaded: foreign, damaged, or of a newer format."""


class DataError(PatchCoreError, ValueError):
    """Labels, masks or scores that do not fit together."""


class Outdated(PatchCoreError):
    """The inspector changed while it judged; the image must be judged again."""


class NotKept(PatchCoreError):
    """A write fails at present, as on a full disk. Nothing was written, and trying again may help."""


class WorkerLost(PatchCoreError):
    """A process of a build keeps dying, or one that decodes images does not start; the message says what to try."""


class Cancelled(PatchCoreError):
    """The caller asked to stop; nothing half-done is left behind."""


def program_fault(fault: Exception) -> str:
    """Return the reason for which a file is set aside on which the program itself has failed."""
    return shortened_sentence(
        f"{PROGRAM_FAILED} ({type(fault).__name__}: {fault}). The log has the details; please report "
        "them. Save the file again from where it came, or delete it."
    )
