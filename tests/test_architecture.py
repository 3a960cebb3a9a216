"""The arrows between the rooms, and their sizes; docs/architecture.md says what each room is for."""

import ast
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOPS = ("patchcore", "workbench", "pages", "app")

ORDER = (  # a room may import itself and what stands in a line above it; rooms of one line do not know each other
    "patchcore.errors patchcore.disk",
    "patchcore.kernels patchcore.images patchcore.statistics patchcore.maps",
    "patchcore.thresholds patchcore.backbones patchcore.plausibility patchcore.methods patchcore.labels",
    "patchcore.settings",
    "patchcore.files patchcore.executors",
    "patchcore.features patchcore.scoring patchcore.bank patchcore.coreset patchcore.leave_one_out",
    "patchcore.fitting",
    "patchcore.detector",
    "patchcore.patchcore patchcore.padim patchcore.spade",
    "patchcore.amendment",
    "patchcore.inspection",
    "patchcore.evaluation",
    "patchcore.reports",
    "patchcore.cli",
    "patchcore patchcore.__main__",
    "workbench.people",
    "workbench.storage",
    "workbench.jobs workbench.uploads",
    "workbench.inspectors",
    "workbench.inspections",
    "workbench.tuning",
    "workbench.evaluation",
    "workbench.watching",
    "workbench.upkeep",
    "workbench.running",
    "workbench.viewer",
    "workbench.widgets.shared",
    "workbench.widgets.fields",
    "workbench.widgets.frame workbench.widgets.build",
    "workbench.widgets.tune",
    "workbench.widgets.review",
    "workbench.widgets.inspect",
    "workbench.widgets.evaluate",
    "workbench.widgets.show",
    "workbench.widgets.history workbench.widgets.library",
    "workbench workbench.widgets workbench.__main__",
    "pages",
    "app",
)
RANK = {room: rank for rank, line in enumerate(ORDER) for room in line.split()}
CORE_FILES = set(ORDER[5].split()) | set(ORDER[8].split())
"""Files of the core's root: those of one line may import each other, without a cycle."""

LARGEST_FOLDER = 16  # modules; `__init__` and `__main__` are not counted
LARGEST_CORE = 18  # modules in the root of `patchcore/`
LONGEST_CORE = 3_000  # lines of these
DOTTED = re.compile(rf"(?!.*\.py$)({'|'.join(TOPS)})(\.\w+)+(:\w+)?")  # and no file's name


class Tree:
    """The modules of a checkout, and what each names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = [path for top in TOPS for path in sorted((root / top).rglob("*.py"))] + [root / "app.py"]
        self.paths = {dotted(path.relative_to(root)): path for path in paths}

    def named_by(self, module: str) -> Iterator[str]:
        """The modules of the project that a module imports, late and for types as well, or names in a string."""
        for node in nodes(self.paths[module].read_text(encoding="utf-8")):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module} imports by a relative name"
                found = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = [node.value.split(":")[0]] if DOTTED.fullmatch(node.value) else []
            else:
                continue
            yield from filter(None, map(self.module_of, found))

    def module_of(self, name: str) -> str | None:
        """The longest beginning of a dotted name that is a module of the project."""
        parts = name.split(".")
        beginnings = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((one for one in beginnings if one in self.paths), None)

    def against_the_order(self) -> list[str]:
        """A line for each import or string that goes up, or to a neighbour."""
        found = []
        for module in self.paths:
            room = room_of(module)
            for other in self.named_by(module):
                there = room_of(other)
                neighbours = RANK[there] == RANK[room] and not {room, there} <= CORE_FILES
                if there != room and (RANK[there] > RANK[room] or neighbours):
                    found.append(f"{module} -> {other}")
        return sorted(set(found))

    def modules_by_folder(self) -> Counter[Path]:
        """How many modules each folder holds."""
        return Counter(
            path.parent.relative_to(self.root)
            for path in self.paths.values()
            if path.stem not in {"__init__", "__main__"}
        )


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """What a module's text is made of that can name another module."""
    kinds = (ast.Import, ast.ImportFrom, ast.Constant)
    return tuple(node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))


def dotted(path: Path) -> str:
    """The module that a file is."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room in `ORDER` that a module stands in."""
    parts = module.split(".")
    beginnings = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    room = next((one for one in beginnings if one in RANK), module)
    assert room in RANK and (room not in {"patchcore", "workbench", "workbench.widgets"} or room == module), (
        f"{module} stands in no room of ORDER"
    )
    return room


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(ROOT)


def test_imports_and_dotted_strings_follow_the_order(tree):
    assert tree.against_the_order() == []


def test_files_of_the_cores_root_import_each_other_without_a_cycle(tree):
    graph = {
        name: {one for one in tree.named_by(name) if one in CORE_FILES and one != name} for name in CORE_FILES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle: {error.args[1]}")


def test_no_folder_is_larger_than_a_reader_can_hold(tree, capsys):
    folders = tree.modules_by_folder()
    core = [path for path in (ROOT / "patchcore").glob("*.py") if path.stem not in {"__init__", "__main__"}]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in core)
    with capsys.disabled():
        print(f"\npatchcore/ itself: {len(core)} modules, {lines:,} lines")
        for folder, count in sorted(folders.items()):
            print(f"{count:3}  {folder}")
    assert len(core) <= LARGEST_CORE and lines <= LONGEST_CORE
    too_large = {str(folder) for folder, count in folders.items() if count > LARGEST_FOLDER}
    assert too_large - {"patchcore"} == set()


def test_no_file_repeats_the_name_of_its_folder(tree):
    repeated = [
        module
        for module, path in tree.paths.items()
        if path.stem.rstrip("s") == path.parent.name.rstrip("s") and path.parent != ROOT
    ]
    assert repeated in ([], ["patchcore.patchcore"])


def test_the_product_knows_nothing_of_the_laboratory_and_the_tests(tree):
    for module, path in tree.paths.items():
        named = {
            name.split(".")[0] for node in nodes(path.read_text(encoding="utf-8")) for name in imported(node)
        }
        assert not named & {"lab", "tests"}, module


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


PLANTED = (
    ("patchcore/kernels/distances.py", "from patchcore.bank import MemoryBank\n", "patchcore.bank"),
    ("patchcore/files/container.py", "def late():\n    import patchcore.detector\n", "patchcore.detector"),
    (
        "patchcore/images/reading.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from patchcore.maps import regions\n",
        "patchcore.maps.regions",
    ),
    (
        "workbench/storage/places.py",
        "from workbench.inspections import batches\n",
        "workbench.inspections.batches",
    ),
    ("workbench/jobs/queue.py", 'WORK = "workbench.watching.job:run_watch"\n', "workbench.watching.job"),
    ("workbench/watching/job.py", "from workbench.upkeep.check import check\n", "workbench.upkeep.check"),
    ("workbench/widgets/shared/session.py", 'PAGE = "pages.build"\n', "pages.build"),
    ("patchcore/cli/commands.py", "import workbench.__main__\n", "workbench.__main__"),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for top in ("patchcore", "workbench", "pages"):
        for path in (ROOT / top).rglob("*.py"):
            place = root / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    shutil.copyfile(ROOT / "app.py", root / "app.py")
    return root


@pytest.mark.parametrize(("file", "text", "named"), PLANTED, ids=[file for file, _, _ in PLANTED])
def test_a_planted_line_against_the_order_is_found(copy, file, text, named):
    path = copy / file
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "\n" + text, encoding="utf-8")
    try:
        assert Tree(copy).against_the_order() == [f"{dotted(Path(file))} -> {named}"]
    finally:
        path.write_text(before, encoding="utf-8")
