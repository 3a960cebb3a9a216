"""The typed functions inside a script run, without a browser."""

import pytest
from streamlit.testing.v1 import AppTest


def gallery_app():
    import numpy as np
    import streamlit as st

    from workbench.viewer import Dot, Thresholds, Tile, encode_tile, gallery, threshold_strip

    picture = encode_tile(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.float32))
    tile = Tile("app:a", "a.png", 2.0, picture)
    told = []
    told_of = {"on_thresholds": told.append, "on_opened": told.append}
    gallery([tile], Thresholds(1.0), key="gallery", **told_of)
    threshold_strip([Dot("d", "d.png", 1.0)], Thresholds(1.0), key="strip", link="gallery", **told_of)
    st.text(f"told {told}")


def detail_app():
    import numpy as np
    import streamlit as st

    from workbench.viewer import RoiImage, Thresholds, detail, roi_editor

    pixels = np.zeros((9, 12, 3), np.uint8)
    told = []
    detail(
        "app:d",
        "d.png",
        lambda: (pixels, None),
        2.0,
        Thresholds(None),
        key="detail",
        truth=np.ones((9, 12), bool),
        on_rule=told.append,
    )
    drawing = roi_editor(
        [RoiImage("app:r", "r.png", lambda: pixels)], key="roi", initial=np.eye(9, 12, dtype=bool)
    )
    st.text(f"told {told} {drawing.mask.sum()}")


@pytest.mark.parametrize(
    ("app", "text"),
    [
        (gallery_app, "told []"),
        (detail_app, "told [] 9"),
    ],
)
def test_nothing_has_happened_in_the_first_run(app, text):
    for _ in range(2):  # a second app has a runtime of its own and must find the component too
        run = AppTest.from_function(app, default_timeout=30).run()
        assert not run.exception
        assert run.text[0].value == text
        assert not run.run().exception
