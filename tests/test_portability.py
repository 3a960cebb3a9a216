"""Windows too: text files name their encoding, one module renames and deletes, POSIX's modules are not needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ("app.py", "pages", "patchcore", "workbench", "lab", "sample_data", "tests")
TEXT_METHODS = (
    "read_text",
    "write_text",
    "NamedTemporaryFile",
    "TextIOWrapper",
    "FileHandler",
    "loadtxt",
    "savetxt",
)
PROCESSES = ("run", "Popen", "check_output", "check_call")
POSIX_MODULES = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios")


def files(*places: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def calls(source: str) -> list[tuple[str, ast.Call]]:
    """Return each call with the last name of the function that is called."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [(getattr(node.func, "attr", getattr(node.func, "id", "")), node) for node in nodes]


@cache
def calls_in(path: Path) -> list[tuple[str, ast.Call]]:
    return calls(path.read_text(encoding="utf-8"))


def has_own_encoding(name: str, call: ast.Call) -> bool:
    """Whether a call opens text without saying in which encoding."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    constants = [value.value for value in (*call.args, *keywords.values()) if isinstance(value, ast.Constant)]
    if "encoding" in keywords or None in keywords or (name == "TextIOWrapper" and len(call.args) > 1):
        return False
    if name in ("open", "fdopen"):
        owner = ast.unparse(call.func).rpartition(".")[0].rpartition(".")[2]
        return owner not in ("Image", "os", "archive") and any(
            value in ("r", "w", "a", "x", "rt", "wt", "at") for value in constants
        )
    if name in PROCESSES:
        return any(word in keywords for word in ("text", "universal_newlines", "errors"))
    return name in TEXT_METHODS and not any(
        isinstance(value, str) and "b" in value for value in constants[:1]
    )


def test_text_is_opened_in_a_named_encoding_everywhere():
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in files(*CODE)
        for name, call in calls_in(path)
        if has_own_encoding(name, call)
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "path.read_text()",
        "(folder / 'x').write_text('x')",
        "open('x', 'w')",
        "path.open(mode='a')",
        "subprocess.run(command, text=True)",
        "Popen(command, universal_newlines=True)",
        "TextIOWrapper(stream)",
        "logging.FileHandler(path)",
    ],
)
def test_a_call_in_the_systems_own_encoding_is_found(line):
    assert any(has_own_encoding(*call) for call in calls(line))


def test_one_module_renames_and_deletes():
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in files("patchcore", "workbench", "pages", "app.py")
        if path.name != "in_use.py"
        for name, call in calls_in(path)
        if name in ("unlink", "rmtree", "removedirs", "renames")
        or ast.unparse(call.func) in ("os.replace", "os.rename")
    ]
    assert not found


def test_every_module_imports_without_the_modules_of_posix():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in files("patchcore", "workbench")
        if path.name != "__main__.py" and "migrations" not in path.parts
    ]
    code = f"""
import builtins, importlib, os, signal
plain = builtins.__import__
def blocked(name, globals=None, *rest):
    ours = (globals or {{}}).get("__name__", "").partition(".")[0] in ("patchcore", "workbench")
    if ours and name.partition(".")[0] in {POSIX_MODULES}:
        raise ImportError(f"{{name}} is not on Windows")
    return plain(name, globals, *rest)
import numba, torch, streamlit, sqlalchemy, psutil, filelock, multiprocessing.connection
builtins.__import__ = blocked
for name in ("SIGKILL", "SIGHUP", "SIGURG", "SIGUSR1", "SIGALRM"): delattr(signal, name)
for name in ("fork", "getuid", "geteuid", "killpg", "mkfifo", "statvfs", "O_NOFOLLOW", "O_DIRECTORY", "WNOHANG"):
    delattr(os, name)
for module in {modules}: importlib.import_module(module)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-3000:]
