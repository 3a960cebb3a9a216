"""Finds and runs the PostgreSQL that the tests of the workbench use; as a program, installs one if there is none."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from workbench.storage.database import Database
from workbench.storage.tables import Base
from workbench.upkeep.backups.portable_rows import copy_rows

DEBIAN = Path("/usr/lib/postgresql")
TABLES = tuple(Base.metadata.tables)
SETTINGS = {  # a server for minutes: nothing of it must survive a power cut
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "timezone": "Asia/Kolkata",  # not the one that moments are kept in
}


def find_programs() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`, the newest on this machine; None without."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    on_path = shutil.which("initdb")
    found = [*([Path(on_path).resolve()] if on_path else []), *versions]
    whole = [path.parent for path in found if (path.parent / "pg_ctl").exists()]
    return whole[-1] if whole else None


def install() -> None:
    """Install Debian's package where that is possible; without it the tests use SQLite alone."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
        subprocess.run(command, check=False, env=environment)


NEEDS_POSTGRESQL = pytest.mark.skipif(
    find_programs() is None, reason="PostgreSQL is not installed (Debian: apt install postgresql)"
)


class Server:
    """A PostgreSQL server of the tests' own: its data and its socket lie in a temporary folder.

    Used with ``with``. It refuses to run as root, so root runs it as a user without rights.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
        self._user = "nobody" if os.geteuid() == 0 else None

    def __enter__(self) -> Server:
        """Make the data folder and start."""
        if self._user is not None:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        data = str(self.folder / "data")
        self._run("initdb", "--pgdata", data, "--auth", "trust", "--username", "tests", "--encoding", "UTF8",
                  "--no-locale", "--no-sync", "--no-instructions")  # fmt: skip
        options = " ".join(f"-c {name}={value!r}" for name, value in SETTINGS.items())
        self._run("pg_ctl", "start", "--pgdata", data, "--wait", "--log", str(self.folder / "log"),
                  "--options", f"-k {self.folder} {options}")  # fmt: skip
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop it, whoever is still connected, and delete its folder."""
        self._run("pg_ctl", "stop", "--pgdata", str(self.folder / "data"), "--mode", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_database(self, template: str = "template0") -> str:
        """Make a database, empty or a copy of another, and return its name."""
        name = f"tests_{secrets.token_hex(4)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Delete a database, whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str) -> str:
        """Return where a database is, as ``PATCHCORE_DATABASE_URL`` takes it."""
        return f"postgresql+psycopg://tests@/{name}?host={self.folder}"

    def _execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(
            host=str(self.folder), user="tests", dbname="postgres", autocommit=True
        ) as server:
            server.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if self._user is not None:
            command = ["setpriv", f"--reuid={self._user}", "--clear-groups", *command]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8",
                              stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C"})  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout}")


@dataclass
class SharedDatabase:
    """One database that test after test uses: emptying it takes a tenth of the time of making another.

    The tables hold a few rows, which are deleted in half of the time that truncating takes: that makes new files.
    Rows of a workspace that many tests begin with are read from its file once; a schema beside the tables keeps them.
    """

    server: Server
    url: str
    _kept: dict[Path, str] = field(default_factory=dict)  # by root: what puts the kept rows into the tables

    def empty(self) -> None:
        """Delete all rows, number from one again, and end the connections an earlier test left."""
        name = make_url(self.url).database
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
            *(f"DELETE FROM {table}" for table in TABLES),
            "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'",
        )

    def fill(self, root: Path) -> None:
        """Copy all rows of a workspace with a database file into the empty tables."""
        if root in self._kept:
            self._execute(self._kept[root])
            return
        database = Database(self.url)
        copy_rows(f"sqlite:///{root / 'workspace.db'}", database)
        database.close()
        schema = f"kept_{len(self._kept)}"
        numbers = self._execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
        )
        self._execute(
            f"CREATE SCHEMA {schema}",
            *(f"CREATE TABLE {schema}.{table} AS TABLE {table}" for table in TABLES),
        )
        filling = [f"INSERT INTO {table} SELECT * FROM {schema}.{table}" for table in TABLES]
        self._kept[root] = ";".join(filling + [f"SELECT setval('{name}', {last})" for name, last in numbers])

    def close(self) -> None:
        """Close the connection over which all this is done."""
        self._connection.close()

    def _execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Do all at once, while no row is asked for those it refers to; return the rows that the last one found."""
        cursor = self._connection.execute(";".join(statements).encode())
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []

    @cached_property
    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        name = make_url(self.url).database
        return psycopg.connect(
            host=str(self.server.folder),
            user="tests",
            dbname=name,
            autocommit=True,
            options="-c session_replication_role=replica",
        )


if __name__ == "__main__":
    if find_programs() is None:
        install()
    where = find_programs()
    print(f"PostgreSQL tests use {where}" if where else "PostgreSQL is not here: tests use SQLite alone")
