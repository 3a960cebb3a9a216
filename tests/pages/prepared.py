"""A workspace with one small inspector and a scored batch, made once for the tests of the pages."""

from pathlib import Path

from tests.pages.texts import HOSTILE, WASHER
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.versions import get_version
from workbench.storage.workspace import Workspace


def prepare(root: Path, inspector_id: str = "washer") -> Path:
    """Build from four good parts; score three test images, one of a hostile name, and a file that is no image."""
    workspace = Workspace(root)
    good = [workspace.store_image(path, path.name) for path in sorted((WASHER / "train/good").iterdir())[:4]]
    settings = BuildSettings(name="Washer *line* <3>", image_size=96)
    version = build(workspace, settings, good, inspector_id=inspector_id)
    kinds = sorted(path for path in (WASHER / "test").iterdir())[:2]
    test = [workspace.store_image(sorted(kind.iterdir())[0], f"{kind.name}.jpg") for kind in kinds]
    test.append(workspace.store_image(sorted(kinds[0].iterdir())[1], HOSTILE))
    test.append(workspace.store_image(b"not an image", "notes.png"))
    batch = create_batch(workspace, inspector_id, test, "Morning")
    assert len(list(score_batch(workspace, batch, get_version(workspace, version.id)))) == 4
    workspace.database.close()
    return root
