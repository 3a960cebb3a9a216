"""A read-only program folder and a user without a home: stores of compiled code are never needed to start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import _CacheLocator
from PIL import Image

from patchcore.kernels import cache_folders
from tests.patchcore.conftest import stripes

ROOT = Path(__file__).parents[3]
NAMED = {"HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"}
# Root is above permissions; without its capabilities it obeys them like everybody else.
OBEDIENT = (
    ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
    if hasattr(os, "getuid") and os.getuid() == 0
    else ()
)
POSIX = pytest.mark.skipif(
    os.name == "nt" or (bool(OBEDIENT) and shutil.which("setpriv") is None),
    reason="folders are made read-only by POSIX permissions, which root obeys through setpriv alone",
)
HOMELESS = """
import pwd, sys
def nobody(uid): raise KeyError(uid)
pwd.getpwuid = nobody
"""
TWO_COMMANDS = """
from patchcore.cli.commands import app
good, inspector = sys.argv[1:]
app(["build", good, "-o", inspector, "--image-size", "64", "--method", "padim"], standalone_mode=False)
app(["score", inspector, good], standalone_mode=False)
"""
DISTANCE = """
import os, sys
import patchcore
import numpy as np
from patchcore.kernels.distances import square_distance
print(square_distance(np.ones(9, np.float32), np.zeros(9, np.float32)))
print(os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("MPLCONFIGDIR"))
"""


@pytest.fixture
def read_only(tmp_path):
    """A copy of the program and a home that their user cannot write to, beside a place for temporary files."""
    program = tmp_path / "program"
    shutil.copytree(
        ROOT / "patchcore", program / "patchcore", ignore=shutil.ignore_patterns("__pycache__", "*.nb?")
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    closed = (program, tmp_path / "home", *program.rglob("*"))
    for path in closed:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield tmp_path
    for path in closed:
        path.chmod(0o755)


def started(read_only, code, *arguments, **environment):
    """Run code as a user who cannot write to the program, in processes that obey permissions."""
    plain = {name: value for name, value in os.environ.items() if name not in NAMED}
    chosen = {
        "PYTHONPATH": str(read_only / "program"),
        "TMPDIR": str(read_only / "temporary"),
        "HOME": str(read_only / "home"),
        **environment,
    }
    return subprocess.run(
        [*OBEDIENT, sys.executable, *(("-c", code) if code else ()), *map(str, arguments)],
        env=plain | {name: value for name, value in chosen.items() if value} | {"PYTHONIOENCODING": "utf-8"},
        cwd=read_only,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def have_compiled(read_only):
    """Lay what this checkout has compiled where a user without a home would find it after a first start."""
    place = read_only / "temporary" / f"patchcore-{os.getuid()}"
    place.mkdir(mode=0o700)
    loops = read_only / "program/patchcore/kernels/distances.py"
    below = _CacheLocator.get_suitable_cache_subpath(str(loops))
    shutil.copytree(
        ROOT / "patchcore/kernels/__pycache__",
        place / "numba" / below,
        ignore=shutil.ignore_patterns("*.pyc"),
    )


@POSIX
@pytest.mark.parametrize("home", ["", "home", "home/missing", "/proc"])
def test_the_program_starts_and_stores_its_code_among_the_temporary_files(read_only, home):
    for _ in range(1 if home else 2):  # the second start finds the store of the first
        place = str(read_only / home) if home else ""
        done = started(read_only, DISTANCE if home else HOMELESS + DISTANCE, HOME=place)
        assert done.returncode == 0, done.stderr
        distance, stores = done.stdout.splitlines()
        assert float(distance) == 9
        assert all(str(read_only / "temporary") in store for store in stores.split())
    (mine,) = (read_only / "temporary").iterdir()
    assert mine.stat().st_mode & 0o077 == 0
    assert list(mine.rglob("*.nbc"))


@POSIX
def test_a_store_that_the_environment_names_is_replaced_when_it_cannot_be_written(read_only):
    done = started(read_only, DISTANCE, NUMBA_CACHE_DIR="/proc/none", MPLCONFIGDIR="/proc/none")
    assert done.returncode == 0, done.stderr
    assert "/proc/none" not in done.stdout


@POSIX
def test_a_private_folder_of_another_user_is_not_trusted(read_only):
    theirs = read_only / "temporary" / f"patchcore-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    done = started(read_only, DISTANCE)
    assert done.returncode == 0, done.stderr
    assert str(theirs) + "/" not in done.stdout and not list(theirs.iterdir())
    assert [path.name for path in (read_only / "temporary").iterdir()] == [
        theirs.name
    ]  # the other one is gone


@POSIX
def test_nothing_is_stored_where_nothing_can_be_written(read_only):
    (read_only / "temporary").chmod(0o555)
    code = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc']\n" + DISTANCE
    done = started(read_only, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["9.0", "None None"]


@POSIX
def test_an_inspector_is_built_and_scores_without_a_home(read_only):
    good, inspector = read_only / "good", read_only / "temporary/x.patchcore"
    good.mkdir()
    for seed in range(3):
        Image.fromarray(stripes(seed)).save(good / f"{seed}.png")
    code = HOMELESS + TWO_COMMANDS
    have_compiled(read_only)  # PaDiM alone would compile for ten seconds
    done = started(read_only, code, good, inspector, HOME="")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 3 and done.stdout.count(".png") == 3, done.stdout
    assert sorted(path.name for path in read_only.iterdir()) == ["good", "home", "program", "temporary"]


@POSIX
def test_charts_find_their_fonts(read_only):
    drawn = started(
        read_only, "import patchcore, matplotlib.font_manager as fonts; print(fonts.findfont('x'))"
    )
    assert drawn.returncode == 0 and "DejaVuSans" in drawn.stdout
    assert "temporary cache directory" not in drawn.stderr


def test_usual_folders_stay_where_they_can_be_written(monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setattr(cache_folders, "_is_writable", lambda place: True)
    cache_folders.prepare_caches()
    assert not os.environ.keys() & {"NUMBA_CACHE_DIR", "MPLCONFIGDIR"}


def test_a_damaged_store_costs_a_compilation_alone(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for damage in (None, b"", b"no pickle", b"\x80\x05."):
        stored = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert bool(stored) == (damage is not None)
        for path in stored:
            path.write_bytes(damage)
        done = subprocess.run(
            [sys.executable, "-c", DISTANCE], env=environment, cwd=ROOT, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("9.0")
        mended = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert mended and all(path.read_bytes() != damage for path in mended)
