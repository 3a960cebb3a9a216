"""An output of a further developer: one file in a package of its own, and one line that registers it."""

import sys

import pytest

from workbench.watching.outputs.registry import OUTPUTS

FILE = r'''
"""Notes: each verdict becomes a file of its own, for a printer that looks for such files."""

from pathlib import Path

from patchcore.errors import NotKept, SettingsError
from workbench.watching.outputs.declaration import Option, Output, OutputSpec


class Notes(Output):
    def __init__(self, folder, sign, copies):
        if len(sign) > 3:
            raise SettingsError(f"The sign has at most three letters, unlike {sign}.")
        self.folder, self.sign, self.copies = folder, sign, copies

    def deliver(self, verdict, *, again):
        try:
            note = self.folder / f"{verdict.file}.txt"
            note.write_text(f"{self.sign} {verdict.verdict}\n" * self.copies, encoding="utf-8")
        except OSError as fault:
            raise NotKept(f"{self.folder} cannot be written ({fault.strerror}).") from fault
        return verdict


def make(values, folder):
    place = values["notes_to"]
    return Notes(Path(place), values["notes_sign"], values["notes_copies"]) if place else None


NOTES = OutputSpec(
    "notes",
    (
        Option(
            "notes_to", "--notes-to", "folder", label="Write a note for each image into this folder",
            help="Write a note for each image into this folder.", default="", empty="no notes",
        ),
        Option(
            "notes_sign", "--notes-sign", "text", label="Sign of the notes", help="Letters before each verdict.",
            default="*",
        ),
        Option(
            "notes_copies", "--notes-copies", "whole", label="Copies of the notes", help="Lines in each note.",
            default=1, detail="The printer prints each line.", least=1, most=9,
        ),
    ),
    make,
    lambda values: f"notes go to {values['notes_to']}" if values["notes_to"] else "",
)
'''
REGISTERED = """
from workbench.watching.outputs.registry import OUTPUTS
from toy_outputs.notes import NOTES
OUTPUTS[NOTES.name] = NOTES
"""  # the one line, in a process of its own


@pytest.fixture
def notes_file(tmp_path):
    """The folder to be searched for the package."""
    package = tmp_path / "packages" / "toy_outputs"
    package.mkdir(parents=True)
    (package / "notes.py").write_text(FILE, encoding="utf-8")
    return package.parent


@pytest.fixture
def notes(notes_file, monkeypatch):
    """The output, registered for one test."""
    monkeypatch.syspath_prepend(notes_file)
    from toy_outputs.notes import NOTES

    monkeypatch.setitem(OUTPUTS, NOTES.name, NOTES)  # the one line
    yield NOTES
    for module in ("toy_outputs.notes", "toy_outputs"):
        sys.modules.pop(module, None)
