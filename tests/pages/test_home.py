from tests.pages.texts import words


def test_first_visit_invites_to_the_sample(empty, open_app):
    app = open_app()
    assert [button.label for button in app.button] == ["Open the sample product", "Build your own"]
    assert "No inspector yet" in words(app)
    assert not app.error


def test_every_inspector_has_a_card_with_its_numbers(full, open_app):
    app = open_app()
    card = words(app)
    assert "Washer *line* &lt;3&gt;" in card  # a name is text, never Markdown or HTML
    assert "● in use" in card and "patches" in card and "Threshold" in card
    assert "Inspect" in [button.label for button in app.button]


def test_an_address_with_an_unknown_inspector_is_ignored(full, open_app):
    app = open_app(inspector="nobody's")
    assert "Washer" in words(app)


def test_opening_the_sample_queues_its_build(empty, open_app, monkeypatch):
    from workbench.jobs.queue import JobQueue
    from workbench.jobs.requests import list_jobs

    monkeypatch.setattr(JobQueue, "step", lambda self: None)  # nothing is computed here
    app = open_app()
    app.button(key="open_sample").click().run()
    jobs = list_jobs(empty)
    assert [job.arguments["inspector_id"] for job in jobs] == ["sample-washer"]
    app.run()
    assert len(list_jobs(empty)) == 1  # following it starts no second one
