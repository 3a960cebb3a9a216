"""What stands on a page, and where the tests' images lie."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
WASHER = ROOT / "sample_data" / "washer"
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


def words(app: AppTest) -> str:
    """Return everything that was written as HTML or Markdown."""
    html = [element.proto.body for element in app.get("html")]
    return "\n".join(
        [*html, *(block.value for block in app.markdown), *(block.value for block in app.caption)]
    )


def agree(app: AppTest) -> None:
    """Put a threshold in force where the page asks once more, because of what it does to known images."""
    for one in [one for one in app.button if one.key == "confirm_yes"]:
        one.click().run()
    assert not app.exception
