"""Good images among uploads to build from: the names of folders say what they hold, as for the command line."""

from pathlib import PurePosixPath

from patchcore.labels.good_images import choose_good
from workbench.uploads.image_set import UploadSet


def good_uploads(uploads: UploadSet, title: str = "") -> tuple[UploadSet, list[str]]:
    """Keep the good images of a set: (the set with the others left out, sentences on what was taken).

    Parameters
    ----------
    uploads
        From `workbench.uploads.intake`.
    title
        The folder, archive or first file that was handed in.

    Raises
    ------
    NoImagesError
        The folders' names say that all images are defects or masks.
    """
    chosen = choose_good((upload.name for upload in uploads), _root(uploads, title))
    kept = UploadSet(
        left_out=list(uploads.left_out), tables=list(uploads.tables), annotations=list(uploads.annotations)
    )
    for upload in uploads:
        if reason := chosen.left_out.get(upload.name):
            kept.leave_out(upload.name, reason)
        else:
            kept.images.append(upload)
    return kept, chosen.remarks


def _root(uploads: UploadSet, title: str) -> str:
    """Return the name of the folder that holds all files, unless their names begin with it."""
    path = PurePosixPath(title.replace("\\", "/"))
    if any(PurePosixPath(upload.name).parts[0] == path.name for upload in uploads):
        return ""  # the folder is in the names, or the title is a file's own name
    return path.stem if path.suffix.lower() == ".zip" else path.name
