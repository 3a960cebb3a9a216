import re

from tests.pages.texts import HOSTILE, words
from workbench.inspectors import find_inspector


def test_without_an_inspector_the_page_says_what_to_do(empty, open_app):
    app = open_app("inspect")
    assert "there is none yet" in words(app)
    assert {"Build an inspector", "Open the sample product"} <= {button.label for button in app.button}


def test_what_cannot_be_scored_comes_first_then_the_worst(full, open_app):
    app = open_app("inspect", inspector="washer")
    tiles = tiles_of(app)
    scores = [float(found[1]) for tile in tiles if (found := re.search(r'class="s pc-num">([\d.]+)<', tile))]
    assert len(tiles) == 4 and len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert "not scored" in tiles[0] and "notes.png" in tiles[0]


def test_a_file_name_is_never_html(full, open_app):
    app = open_app("inspect", inspector="washer")
    everything = words(app)
    assert "&lt;img src=x onerror=alert(1)&gt;.jpg" in everything
    assert HOSTILE not in everything
    opened = next(button for button in app.button if "onerror" in button.label)
    assert opened.label.replace("\\", "") == f"Open {HOSTILE}"
    opened.click().run()
    assert not app.exception
    assert not re.search(r"(?<!\\)<img src=x", words(app))


def test_the_threshold_moves_every_verdict_without_scoring(full, open_app):
    app = open_app("inspect", inspector="washer")
    before = [result.created for result in stored(full)]
    app.slider(key="threshold_slider").set_value(0.0).run()
    assert counts(app) == {"reject": 3, "review": 0, "accept": 0}
    assert app.query_params["threshold"] == "0.0"
    top = app.slider(key="threshold_slider").max
    app.slider(key="threshold_slider").set_value(top).run()
    app.selectbox(key="review_band").set_value("no review band").run()
    assert counts(app) == {"reject": 0, "review": 0, "accept": 3}
    app.selectbox(key="review_band").set_value("review 20 % below").run()
    assert [result.created for result in stored(full)] == before


def test_a_threshold_is_kept_only_when_asked(full, open_app):
    app = open_app("inspect", inspector="washer")
    old = point(full)["reject"]
    app.slider(key="threshold_slider").set_value(app.slider(key="threshold_slider").max / 2).run()
    assert point(full)["reject"] == old
    next(button for button in app.button if button.label == "Use this threshold").click().run()
    assert not app.exception
    assert point(full)["reject"] != old and point(full)["rule"]["name"] == "by_hand"
    assert "threshold" not in app.query_params


def test_filter_and_order(full, open_app):
    app = open_app("inspect", inspector="washer")
    app.segmented_control(key="order").set_value("name").run()
    names = [re.search(r'alt="([^"]*)"', tile)[1] for tile in tiles_of(app) if 'alt="' in tile]
    assert names == sorted(names, key=str.casefold)
    app.slider(key="threshold_slider").set_value(0.0).run()
    app.segmented_control(key="show").set_value("accept").run()
    assert not tiles_of(app) and "No image has this verdict" in app.info[0].value


def test_an_address_opens_batch_image_and_threshold(full, open_app):
    result = stored(full)[0]
    app = open_app("inspect", inspector="washer", image=str(result.id), threshold="0.25")
    everything = words(app)
    assert everything.count("pc-panes") == 1 and "the nearest, in" in everything
    assert "times the threshold 0.250" in everything


def test_nonsense_in_the_address_does_no_harm(full, open_app):
    app = open_app("inspect", inspector="washer", batch="-7", image="²", threshold="nan")
    assert len(tiles_of(app)) == 4


def tiles_of(app):
    return [body for element in app.get("html") if 'class="pc-tile' in (body := element.proto.body)]


def counts(app):
    found = re.findall(r'<span class="pc-(reject|review|accept)"><b>(\d+)</b>', words(app))
    return {verdict: int(number) for verdict, number in found}


def stored(workspace):
    from workbench.inspecting import list_batches, list_results

    version = find_inspector(workspace, "washer").current
    return list_results(workspace, list_batches(workspace, "washer")[0].id, version.id)


def point(workspace):
    return find_inspector(workspace, "washer").current.operating_point
