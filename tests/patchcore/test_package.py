"""What the core may lean on."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import patchcore

PACKAGE = Path(patchcore.__file__).parent
ABOVE = {
    "streamlit",
    "sqlalchemy",
    "alembic",
    "workbench",
    "pages",
    "app",
    "lab",
    "sample_data",
}


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_core_does_not_import_the_application(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not ABOVE & set(imports(tree))


def test_every_module_says_what_it_owns():
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.name


def test_public_names():
    assert patchcore.PatchCore.__module__ == "patchcore.patchcore"
    assert issubclass(patchcore.PatchCoreError, Exception)
    assert callable(patchcore.read_image)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = patchcore.nonsense


def test_importing_the_package_does_not_wait_for_torch():
    code = (
        "import sys, patchcore, patchcore.errors, patchcore.files.container; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
