"""`report` as a shell sees it."""

import pytest

from tests.patchcore.cli.test_commands import built, patchcore, product  # noqa: F401 - fixtures


def test_the_report_is_written_and_named(built, product, tmp_path):  # noqa: F811
    out = tmp_path / "new" / "report.html"
    done = patchcore(
        "report", built[1], product, "-o", out, "--title", "Trial <1>", "--author", "Ada", "--note", "Lamp 2."
    )
    assert done.stdout.strip() == str(out)
    page = out.read_text(encoding="utf-8")
    assert "Trial &lt;1&gt;" in page and "by Ada" in page and "Lamp 2." in page
    assert "striped" in page and "größe 1" in page
    assert "Of 1 defect, 1 is rejected" in page
    assert "built from" in page and "Good images" in page
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{product}/nowhere", "-o", "{tmp}/x.html"), "no file or folder"),
        (("{product}", "-o", "{tmp}"), "is a folder"),
        (("{product}", "-o", "{tmp}/file/x.html"), "cannot be written"),
        (("{product}",), "--output"),
    ],
)
def test_mendable_errors_end_with_exit_code_1(built, product, tmp_path, arguments, sentence):  # noqa: F811
    (tmp_path / "file").write_text("", encoding="utf-8")
    given = (text.format(product=product, tmp=tmp_path) for text in arguments)
    done = patchcore("report", built[1], *given, expect=1)
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr and done.stdout == ""
