import pytest

from patchcore.errors import SettingsError
from patchcore.executors import Processes, chosen_executor


def test_here_gives_none():
    assert chosen_executor("here") is None


def test_a_number_of_processes():
    executor = chosen_executor("processes:3")
    assert isinstance(executor, Processes) and executor.count == 3


@pytest.mark.parametrize(
    "text", ["", "here:2", "processes", "processes:0", "processes:65", "processes:²", "ray"]
)
def test_other_texts_are_refused_with_the_allowed_ones(text):
    with pytest.raises(
        SettingsError, match=r"runs 'here', or on processes:N with N from 1 to 64.*'.*' is neither"
    ):
        chosen_executor(text)


def test_a_number_out_of_bounds_is_refused():
    with pytest.raises(SettingsError, match="between 1 and 64; 0 does not"):
        Processes(0)
