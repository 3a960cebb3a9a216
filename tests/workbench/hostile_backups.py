"""Backups that were made to do harm: each is a real one with rows or entries altered, and all its hashes right."""

import hashlib
import json
import stat
import zipfile

OUT = "../../victim"
MODEL = "inspectors/plate-1/v0001/model.patchcore"


class Altered:
    """The entries of a backup, to be altered."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            self.entries = {name: archive.read(name) for name in archive.namelist()}
        self.contents = json.loads(self.entries.pop("backup.json"))
        self.links = set()

    def rows(self, table):
        return [json.loads(line) for line in self.entries[f"tables/{table}.jsonl"].decode().splitlines()]

    def put(self, table, rows):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        self.entries[f"tables/{table}.jsonl"] = lines.encode()

    def set(self, table, *, where=lambda row: True, **values):
        """Give columns of rows another value; one that can be called is given the row."""
        rows = self.rows(table)
        for row in filter(where, rows):
            row.update({name: value(row) if callable(value) else value for name, value in values.items()})
        self.put(table, rows)

    def rename(self, old, new):
        """Put a text in place of another wherever a row has it as a value or a key."""

        def renamed(value):
            if isinstance(value, dict):
                return {renamed(key): renamed(one) for key, one in value.items()}
            if isinstance(value, list):
                return [renamed(one) for one in value]
            return new if value == old else value

        for table in self.contents["tables"]:
            self.put(table, [renamed(row) for row in self.rows(table)])

    def lose(self, path):
        """Say that a file was missing already when the backup was taken."""
        self.contents["lost"].append(f"{path} is missing.")

    def write(self, target):
        self.contents["entries"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in self.entries.items()
        }
        with zipfile.ZipFile(target, "w") as archive:
            for name, data in self.entries.items():
                entry = zipfile.ZipInfo(name)
                if name in self.links:
                    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
                archive.writestr(entry, data)
            archive.writestr("backup.json", json.dumps(self.contents))
        return target


def an_image(backup):
    return backup.rows("images")[0]["sha256"]


def a_job(backup, **values):
    backup.set("jobs", where=lambda row: row["kind"] == "build" and row["arguments"], **values)


def of_job(backup, **arguments):
    a_job(backup, state="queued", arguments=lambda row: {**row["arguments"], **arguments})


def of_point(backup, table="operating_points", column="data", **parts):
    backup.set(table, **{column: lambda row: {**row[column], **parts}})


def leading(backup, table, column, path):
    backup.lose(path)
    backup.set(table, **{column: path})


def entry(backup, name, data=b"hostile", *, link=False):
    backup.entries[name] = data
    if link:
        backup.links.add(name)


def told(backup, **parts):
    backup.set("watched_files", told=lambda row: {**row["told"], **parts})


# name: (what is altered, what the refusal must say); no refusal where the backup is accepted, and harms nobody
BACKUPS = {
    # a: ids
    "id that is the folder above": (
        lambda b: b.rename("plate-1", ".."),
        "not the id of an inspector|does not hold",
    ),
    "id that climbs out": (lambda b: b.rename("plate-1", OUT), "not the id of an inspector|does not hold"),
    "absolute id": (lambda b: b.rename("plate-1", "/victim"), "not the id of an inspector"),
    "id with a drive": (lambda b: b.rename("plate-1", "C:\\victim"), "not the id of an inspector"),
    "id of capitals": (lambda b: b.rename("plate-1", "PLATE-1"), "not the id of an inspector"),
    "id of lookalike letters": (lambda b: b.rename("plate-1", "рlate-1"), "not the id of an inspector"),
    "id with a line break": (lambda b: b.rename("plate-1", "plate-1\n"), "not the id of an inspector"),
    "id with a space behind it": (lambda b: b.rename("plate-1", "plate-1 "), "not the id of an inspector"),
    "empty id": (lambda b: b.rename("plate-1", ""), "not the id of an inspector"),
    "endless id": (lambda b: b.rename("plate-1", "a" * 65), "65 characters; 64 are the most"),
    "id that climbs out in a waiting job": (
        lambda b: of_job(b, inspector_id=OUT),
        "in the table jobs, column arguments, row .*inspector_id",
    ),
    "absolute id in a waiting job": (
        lambda b: of_job(b, inspector_id="/tmp/victim"),
        "table jobs, column arg",
    ),
    "id that is a list in a waiting job": (
        lambda b: of_job(b, inspector_id=["plate-1"]),
        "table jobs, column arg",
    ),
    "image that climbs out in a waiting job": (
        lambda b: of_job(b, images=[["../../victim/plate", "a"], ["b" * 64, "b"]]),
        "table jobs, column arguments, .*SHA-256 of an image",
    ),
    # b: paths
    "model that climbs out": (
        lambda b: leading(b, "inspector_versions", "path", "../../victim/model.patchcore"),
        "does not hold version 1 of Plate",
    ),
    "model that climbs out from its folder": (
        lambda b: leading(
            b, "inspector_versions", "path", "inspectors/plate-1/../../../victim/model.patchcore"
        ),
        "does not hold version 1 of Plate",
    ),
    "absolute model": (
        lambda b: leading(b, "inspector_versions", "path", "/etc/passwd"),
        "does not hold version 1 of Plate",
    ),
    "model with backslashes": (
        lambda b: leading(b, "inspector_versions", "path", "inspectors\\plate-1\\..\\..\\victim"),
        "does not hold version 1 of Plate",
    ),
    "model of another inspector": (
        lambda b: (
            entry(b, "files/inspectors/plate-2/v0001/model.patchcore", b.entries[f"files/{MODEL}"]),
            leading(b, "inspector_versions", "path", "inspectors/plate-2/v0001/model.patchcore"),
        ),
        "table inspector_versions, column path, .*not lie in the folder of",
    ),
    "model that is the folder of all inspectors": (
        lambda b: leading(b, "inspector_versions", "path", "inspectors/plate-1"),
        "does not hold version 1 of Plate",
    ),
    "map that is the folder above all": (
        lambda b: leading(b, "results", "map_path", "../.."),
        "does not hold the anomaly map",
    ),
    "map that is the database": (
        lambda b: leading(b, "results", "map_path", "workspace.db"),
        "does not hold the anomaly map",
    ),
    "map that is an image": (
        lambda b: b.set("results", map_path=next(n for n in b.entries if "files/images" in n)[6:]),
        "table results, column map_path",
    ),
    "map in the folder of another version": (
        lambda b: (
            entry(b, f"files/results/7/{'a' * 64}.png"),
            b.set("results", map_path=f"results/7/{'a' * 64}.png"),
        ),
        "table results, column map_path, .*not lie in the folder of",
    ),
    "overlay that climbs out": (
        lambda b: leading(b, "inspections", "overlay_path", "history/2026-01/../../../victim/plate.png"),
        "does not hold the kept overlay",
    ),
    "overlay that is a model": (
        lambda b: b.set("inspections", overlay_path=MODEL),
        "table inspections, column overlay_path",
    ),
    "hash that climbs out": (
        lambda b: b.rename(an_image(b), "../../../victim/plate"),
        "does not hold the image|column sha256",
    ),
    "suffix with slashes": (
        lambda b: (b.lose("images/"), b.set("images", suffix="/../x.png")),
        "does not hold the image",
    ),
    "suffix that climbs out": (lambda b: b.set("images", suffix="/../../../v"), "does not hold the image"),
    "watched file that climbs out": (
        lambda b: told(b, file="../victim/plate.png"),
        "table watched_files, column told, .*out of its folder",
    ),
    "absolute watched file": (
        lambda b: b.set("watched_files", path="/etc/passwd"),
        "table watched_files, column path",
    ),
    "entry that climbs out": (
        lambda b: entry(b, f"files/images/{OUT}/plate.png"),
        "name this program never gives",
    ),
    "entry that is a link": (
        lambda b: entry(
            b, next(n for n in b.entries if n.startswith("files/images")), b"/etc/passwd", link=True
        ),
        "it holds a link",
    ),
    "entry that is a link in place of a folder": (
        lambda b: entry(b, "files/results", b"../../victim", link=True),
        "it holds a link",
    ),
    "checkpoints of a job": (
        lambda b: entry(b, "files/jobs/1/scratch/key"),
        "name this program never gives",
    ),
    "list of people": (lambda b: entry(b, "files/people.toml"), "name this program never gives"),
    # d: types
    "text where a number belongs": (lambda b: b.set("jobs", pid="*"), "table jobs, column pid, row 1: '\\*'"),
    "true where a number belongs": (
        lambda b: b.set("inspector_versions", number=True),
        "column number, .*True",
    ),
    "endless number": (lambda b: b.set("images", size_bytes=10**40), "table images, column size_bytes"),
    "score that is no number": (
        lambda b: b.set("results", score=float("nan")),
        "table results, column score",
    ),
    "endless score": (lambda b: b.set("inspections", score=float("inf")), "table inspections, column score"),
    "list where names belong": (lambda b: b.set("inspector_versions", settings=[]), "column settings"),
    "box with three edges": (lambda b: b.set("results", worst_box=[1, 2, 3]), "column worst_box"),
    "number that JSON lacks": (
        lambda b: b.set("events", details={"a": float("nan")}),
        "events, column details",
    ),
    "long word": (lambda b: b.set("jobs", kind="b" * 33), "table jobs, column kind"),
    "unknown state": (lambda b: a_job(b, state="resurrected"), "table jobs, column state"),
    "unknown kind of job": (lambda b: a_job(b, kind="os.system"), "table jobs, column kind"),
    "unknown kind of batch": (lambda b: b.set("batches", kind="bad"), "table batches, column kind"),
    "unknown verdict": (lambda b: b.set("inspections", verdict="maybe"), "column verdict"),
    "unknown source": (lambda b: b.set("inspections", source="satellite"), "column source"),
    "yesterday": (lambda b: b.set("inspectors", created="yesterday"), "table inspectors, column created"),
    "time without a zone": (lambda b: b.set("batches", created="2026-01-01T00:00:00"), "column created"),
    "end of time": (
        lambda b: b.set("inspections", created="0001-01-01T00:00:00+14:00"),
        "table inspections, column created",
    ),
    "rule of the history that is no number": (
        lambda b: b.set("preferences", value={"months": "all"}),
        "table preferences, column value",
    ),
    "text that no database takes": (lambda b: b.set("inspectors", name="a\0b"), "inspectors, column name"),
    # e: thresholds
    "threshold beyond all scores": (
        lambda b: of_point(b, accept=1e300, reject=1e300),
        "operating_points, column data",
    ),
    "negative threshold": (
        lambda b: of_point(b, "inspector_versions", "operating_point", accept=-1.0),
        "inspector_versions, column operating_point, .*accept",
    ),
    "threshold that is true": (lambda b: of_point(b, reject=True), "operating_points, column data, .*reject"),
    "evidence without end": (
        lambda b: of_point(b, evidence={"good": {"a" * 64: float("inf")}, "defect": {}, "map_peaks": {}}),
        "operating_points, column data",
    ),
    "negative score of a good image": (
        lambda b: b.set("inspector_versions", good_scores={"a" * 64: -1}),
        "inspector_versions, column good_scores",
    ),
    "region that is no region": (
        lambda b: b.set("inspections", regions=[{"box": [0, 0, 1, 1], "area": 1, "score": "high"}]),
        "inspections, column regions",
    ),
    # c: what would begin by itself; these come back, and begin nothing
    "waiting job": (of_job, None),
    "running job with the number of another's process": (
        lambda b: a_job(b, state="running", pid=1, process_started=1.0, host="here"),
        None,
    ),
    "failed watch": (
        lambda b: b.set(
            "jobs", where=lambda row: row["kind"] == "watch", state="failed", message="It failed."
        ),
        None,
    ),
    "file that is still to be moved": (
        lambda b: (
            b.set("watches", stopped=None, options={"move_to": "/victim"}),
            b.set("watched_files", finished=None),
            told(b, moved_to="/victim/moved.png"),
        ),
        None,
    ),
    "nothing altered": (lambda b: None, None),
}
