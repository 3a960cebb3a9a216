from types import SimpleNamespace

import pytest

from workbench.widgets.show.product import duration, facts


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "1 second"), (26.7, "27 seconds"), (101, "2 minutes"), (5000, "83 minutes"), (9000, "2 hours")],
)
def test_a_build_lasts_a_whole_number_of_one_unit(seconds, words):
    assert " ".join(duration(seconds)) == words


def test_the_first_scene_states_photographs_no_defect_and_seconds():
    built = SimpleNamespace(numbers={"seconds": 26.7})
    assert [" ".join(line) for line in facts(built, 150)] == [
        "150 photographs of good parts",
        "no defect",
        "27 seconds",
    ]


def test_an_imported_inspector_leaves_out_the_seconds():
    assert [line[0] for line in facts(SimpleNamespace(numbers={}), 1)] == ["1", "no"]
