"""The bounds of a build's settings: the same sentence on the command line, on the page, in a job and in a file."""

from dataclasses import fields, replace

import pytest
from typer.testing import CliRunner

from patchcore.cli.commands import app
from patchcore.errors import SettingsError
from patchcore.settings import SETTINGS, Settings, check
from workbench.inspectors.building import BuildSettings
from workbench.jobs.arguments import check_arguments
from workbench.storage.database import WorkspaceError
from workbench.widgets.build.draft import Draft
from workbench.widgets.build.method_form import SHARES
from workbench.widgets.build.settings_form import SIZES

JUST_OUTSIDE = [
    ("image_size", 31),
    ("image_size", 2049),
    ("coreset", 0.0),
    ("coreset", 1.001),
    ("seed", -1),
    ("seed", 2**31),
    ("geometry", "zoom"),
    ("value_range", (5.0, 5.0)),
]
JUST_INSIDE = [
    ("image_size", 32),
    ("image_size", 2048),
    ("coreset", 1e-6),
    ("coreset", 1.0),
    ("seed", 0),
    ("seed", 2**31 - 1),
    ("geometry", "crop"),
    ("value_range", (5.0, 5.5)),
]
OF_THE_CORE = [("dims", 0), ("dims", 8193), ("neighbours", 1), ("neighbours", 1_000_001)]


def job(**settings):
    plain = BuildSettings(name="Plate").to_dict()
    return {"inspector_id": "plate-1", "images": [], "settings": {**plain, **settings}}


def plain(value):
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("name", "value"), JUST_OUTSIDE)
def test_what_is_out_of_bounds_has_one_sentence_wherever_it_comes_from(name, value, tmp_path):
    with pytest.raises(SettingsError) as refused:
        Settings(**{name: value})
    sentence = str(refused.value)

    (tmp_path / "a.png").write_bytes(b"")
    words = [str(part) for part in plain(value)] if isinstance(value, tuple) else [str(value)]
    option = f"--{name.replace('_', '-')}"
    done = CliRunner().invoke(app, ["build", str(tmp_path), "-o", str(tmp_path / "x"), option, *words])
    assert isinstance(done.exception, SettingsError) and str(done.exception) == sentence

    with pytest.raises(SettingsError) as on_the_page:
        replace(Draft(name="Plate"), **{name: value}).settings()
    assert str(on_the_page.value) == sentence

    with pytest.raises(WorkspaceError) as in_a_job:
        check_arguments("build", job(**{name: plain(value)}), "Plate")
    assert sentence.removesuffix(".") in str(in_a_job.value)

    with pytest.raises(SettingsError) as of_a_file:
        Settings.from_dict({**Settings().to_dict(), name: plain(value)})
    assert str(of_a_file.value) == sentence


@pytest.mark.parametrize(("name", "value"), JUST_INSIDE)
def test_the_bounds_themselves_are_allowed_everywhere(name, value):
    assert getattr(Settings(**{name: value}), name) == value
    assert getattr(replace(Draft(name="Plate"), **{name: value}).settings(), name) == value
    check_arguments("build", job(**{name: plain(value)}), "Plate")


@pytest.mark.parametrize(("name", "value"), OF_THE_CORE)
def test_what_only_the_core_sets_is_bounded_as_well(name, value):
    with pytest.raises(SettingsError) as refused:
        Settings(**{name: value})
    with pytest.raises(WorkspaceError) as in_a_job:
        check_arguments("build", job(**{name: value}), "Plate")
    assert str(refused.value).removesuffix(".") in str(in_a_job.value)
    check(name, value + (1 if value in (0, 1) else -1))


def test_the_usual_values_are_stated_once():
    usual = Settings()
    assert set(SETTINGS) == {field.name for field in fields(Settings)}
    for made in (BuildSettings(name="x"), Draft()):
        shared = {name: value for name, value in vars(made).items() if name in SETTINGS}
        assert shared == {name: getattr(usual, name) for name in shared} | {"backbone": shared["backbone"]}


def test_what_the_page_offers_lies_within_the_bounds():
    for name, offered in (("image_size", SIZES), ("coreset", SHARES)):
        for value in offered:
            check(name, value)
