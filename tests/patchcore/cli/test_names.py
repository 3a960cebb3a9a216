"""Names that a console cannot show, that are no text, or that no disk takes: output goes on, or says a sentence."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from PIL import Image

from patchcore.cli import commands
from patchcore.images.file_names import written_name
from tests.patchcore.cli.test_commands import built, patchcore, product  # noqa: F401 - fixtures
from tests.patchcore.conftest import stripes

NAMES = [
    "螺栓 M6.png",
    "größe →.png",
    "[red][bold]:warning:.png",
    "tab\tand\nline.png",
    "😀.png",
    "con 10:15?.png",
]
BYTES = [b"gr\xf6\xdfe.png", b"\xff\xfe.png", b"a\x80b.png"]  # no UTF-8: names of an older system
RULE = "from_good:budget=0.4"  # five good images promise no less
DISKS = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")


def shown(encoding, *arguments):
    """Run the command line on a console of an encoding: (exit code, standard output, standard error)."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["patchcore", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        try:
            commands.main()
            code = 0
        except SystemExit as finished:
            code = finished.code or 0
    return code, *(stream.buffer.getvalue().decode(encoding) for stream in (out, err))


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A labelled set whose files and kinds of defects have names of every sort."""
    folder = tmp_path_factory.mktemp("odd")
    names = [*NAMES, *map(os.fsdecode, BYTES)] if sys.platform == "linux" else NAMES[:2]
    kinds = ["good", "裂", "[b]", os.fsdecode(b"ri\xdf")] if sys.platform == "linux" else ["good", "裂"]
    for number, name in enumerate(names):
        place = folder / "test" / kinds[number % len(kinds)] / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stripes(number)).save(place)
    return folder


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_every_command_writes_every_name(built, odd, encoding, tmp_path):  # noqa: F811
    model = Path(built[1])
    images = [path for path in (odd / "test").rglob("*") if path.is_file()]
    code, out, err = shown(encoding, "score", model, odd, "--overlays", tmp_path / "pictures")
    assert (code, len(out.splitlines())) == (0, len(images)), err
    pictures = [path.name for path in (tmp_path / "pictures").iterdir()]
    assert len(pictures) == len(images) and [written_name(name) for name in pictures] == pictures
    for command in (
        ("evaluate", model, odd),
        ("threshold", model, "--labelled", odd, "--all"),
        ("threshold", model, "--labelled", odd, "--rule", RULE),
        ("report", model, odd, "-o", tmp_path / "裂.html"),
        ("info", model),
    ):
        code, out, err = shown(encoding, *command)
        assert code == 0, err
        assert out and "Traceback" not in err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_is_ascii_and_gives_every_name_back(built, odd, encoding):  # noqa: F811
    code, out, _ = shown(encoding, "score", built[1], odd, "--json")
    assert code == 0 and out.isascii()
    assert sorted(row["path"] for row in json.loads(out)) == sorted(
        str(path) for path in (odd / "test").rglob("*") if path.is_file()
    )
    for command in (
        ("evaluate", built[1], odd, "--json"),
        ("threshold", built[1], "--labelled", odd, "--rule", RULE, "--json"),
    ):
        code, out, err = shown(encoding, *command)
        assert code == 0 and out.isascii() and json.loads(out), err


@DISKS
def test_inspectors_are_built_from_files_of_every_name(tmp_path):
    out, names = tmp_path / os.fsdecode(b"pl\xe4tte"), [*NAMES, *map(os.fsdecode, BYTES)]
    for number, name in enumerate(names):
        for kind in ("good", "裂"):
            (tmp_path / "part" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(stripes(number)).save(tmp_path / "part" / kind / name)
    code, shown_out, err = shown(
        "cp1252", "build", tmp_path / "part", "-o", out, "--image-size", 64, "--coreset", 0.5
    )
    assert code == 0, err
    assert f"Taken as good: good ({len(names)})." in err and "\\u88c2" in err
    assert "pl\\udce4tte.patchcore" in shown_out
    code, shown_out, _ = shown("ascii", "info", f"{out}.patchcore", "--json")
    assert json.loads(shown_out)["path"] == f"{out}.patchcore"


def test_remarks_show_names_as_they_are(built, tmp_path):  # noqa: F811
    (tmp_path / "[red]:warning:.png").write_bytes(b"no image")
    Image.fromarray(stripes(1)).save(tmp_path / "a.png")
    done = patchcore("score", built[1], tmp_path)
    assert "[red]:warning:.png" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "{model}", "{long}.png"),
        ("score", "{long}.patchcore", "{odd}"),
        ("evaluate", "{model}", "{long}"),
        ("evaluate", "{model}", "{long}.csv"),
        ("report", "{model}", "{odd}", "-o", "{long}.html"),
        ("threshold", "{model}", "--labelled", "{long}"),
        ("threshold", "{long}.patchcore", "--save"),
        ("build", "{long}", "-o", "x"),
        ("build", "{odd}", "-o", "{long}"),
        ("build", "{odd}", "-o", "x", "--roi", "{long}.png"),
        ("build", "{odd}", "-o", "x", "--weights", "{long}.pth"),
        ("score", "{model}", "{odd}", "--overlays", "{long}"),
    ],
)
@pytest.mark.parametrize("name", ["x" * 300, "螺" * 100], ids=["300 letters", "300 bytes"])
def test_names_that_no_disk_takes_get_a_sentence(built, odd, tmp_path, arguments, name):  # noqa: F811
    values = {"model": built[1], "odd": odd, "long": tmp_path / name}
    done = patchcore(*(text.format(**values) for text in arguments), expect=1)
    assert name[:20] in "".join(done.stderr.split())
    assert "Traceback" not in done.stderr and done.stderr.rstrip().endswith(".")
    assert list(tmp_path.iterdir()) == []


def test_a_label_is_no_markup(built, tmp_path):  # noqa: F811
    kinds = ("good", "[/b]", "[red]")
    for number in range(len(kinds)):
        Image.fromarray(stripes(number)).save(tmp_path / f"{number}.png")
    rows = "".join(f"{number}.png,{kind}\n" for number, kind in enumerate(kinds))
    (tmp_path / "labels.csv").write_text(f"file,label\n{rows}", encoding="utf-8")
    done = patchcore("evaluate", built[1], tmp_path / "labels.csv")
    assert "[/b]" in done.stdout and "[red]" in done.stdout
