"""Every error the package raises on purpose, as one tree; an interface need only catch its root.

PatchCoreError
├── SettingsError        a parameter is misspelt, out of range, or does not fit the others
├── ImageError           one image cannot be used; the others can
│   ├── UnreadableImage      not an image, truncated, empty, or of an unsupported kind
│   └── ImageTooLarge        more pixels or bytes than the limits allow
├── NoImagesError        nothing usable was left to work on
├── NotFittedError       a score was asked of a model that has learned nothing yet
├── WeightsError         the backbone cannot be used
│   ├── WeightsMissing       the file is not on this machine; the message says which and where
│   └── WeightsMismatch      the file is there, but it is not the one that is needed
├── ArtifactError        a saved inspector cannot be loaded: foreign, damaged, or of a newer format
├── DataError            labels, masks or scores that do not fit together
├── Outdated             a verdict was given by what is no longer in use, and must be given anew
├── NotKept              what must not be lost cannot be written at present, as with a full disk; it may pass
├── WorkerLost           the process of a part of a build keeps dying
└── Cancelled            the caller asked to stop
"""


class PatchCoreError(Exception):
    """Root of the tree. The message is one or two sentences for the person at the screen."""


class SettingsError(PatchCoreError, ValueError):
    """A parameter is misspelt, out of range, or does not fit the others."""


class ImageError(PatchCoreError):
    """One image cannot be used.

    Parameters
    ----------
    name
        The image as the user knows it.
    reason
        What is wrong and what to do, without the name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnreadableImage(ImageError):
    """Not an image, truncated, empty, or of an unsupported kind."""


class ImageTooLarge(ImageError):
    """More pixels or bytes than the limits allow; found before anything is decoded."""


class NoImagesError(PatchCoreError):
    """Nothing usable was left to work on."""


class NotFittedError(PatchCoreError):
    """A score was asked of a model that has learned nothing yet."""


class WeightsError(PatchCoreError):
    """The backbone cannot be used."""


class WeightsMissing(WeightsError):
    """The file is not on this machine; the message says which file to put where."""


class WeightsMismatch(WeightsError):
    """The file is there, but it is not the one that is needed."""


class ArtifactError(PatchCoreError):
    """A saved inspector cannot be loaded: foreign, damaged, or of a newer format."""


class DataError(PatchCoreError, ValueError):
    """Labels, masks or scores that do not fit together."""


class Outdated(PatchCoreError):
    """A verdict was given by what is no longer in use; it must be given anew."""


class NotKept(PatchCoreError):
    """What must not be lost cannot be written at present; nothing of it was, and trying again may help."""


class WorkerLost(PatchCoreError):
    """The process of a part of a build keeps dying; the message says how, and what to try."""


class Cancelled(PatchCoreError):
    """The caller asked to stop; nothing half-done is left behind."""
