"""The certificate: an inspector's identity on one page that fetches nothing and runs nothing."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from patchcore import PatchCore
from patchcore.evaluation.measures import measure
from patchcore.reports.certificate import Certificate, Change, GoodImage, data_hash, render_certificate
from patchcore.reports.inspector_facts import inspector_facts
from tests.patchcore.labelled_sets import some_of_each

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def certificate():
    good = [np.random.default_rng(i).integers(90, 110, (64, 64, 3), np.uint8) for i in range(3)]
    model = PatchCore(image_size=64, coreset=0.5).fit(good)
    return Certificate(
        inspector="Plate",
        product="B 12",
        version="3.2",
        facts=inspector_facts(model),
        good_images=[
            GoodImage(one.name, one.sha256, taught=not n) for n, one in enumerate(model.image_records_)
        ],
        file_sha256="ab" * 32,
        point=model.operating_point_,
        self_test=model.self_test_again(),
        measured=[("Monday", measure(some_of_each(), point=model.operating_point_))],
        built_with={"torch": "2.0"},
        repeated_with={"torch": "2.1", "numpy": "2.2"},
        history=[Change("3.2", "restored", HOSTILE, "Ada", "2026-01-02T03:04+00:00", 4.2, certified=True)],
        author="Grace",
        date="2026-01-02T03:04+00:00",
    )


def test_the_certificate_tells_every_origin_of_a_verdict(certificate):
    page = render_certificate(certificate)
    for expected in (
        "Plate, version 3.2",
        "ab" * 32,
        certificate.data_sha256,
        certificate.good_images[0].sha256,
        certificate.point.statement.replace(" %", "\N{NO-BREAK SPACE}%"),
        "Self-test passed",
        "2 January 2026, 03:04 UTC",
        "Monday",
        "Image AUROC",
        "restored",
        "this one",
        ">taught<",
        '<td class="num">2.0</td><td class="num">2.1</td>',
    ):
        assert expected in page, expected


def test_no_text_becomes_markup_and_nothing_is_fetched(certificate):
    hostile = replace(
        certificate,
        inspector=HOSTILE,
        note=HOSTILE,
        good_images=[GoodImage(HOSTILE, "0" * 64)],
        author=HOSTILE,
    )
    page = render_certificate(hostile)
    assert "<script" not in page and page.count("&lt;script&gt;") >= 5
    assert "default-src 'none'" in page and "http" not in page.replace("http-equiv", "")


def test_the_hash_of_the_data_is_what_the_command_line_gives_whatever_the_order():
    hashes = ["b" * 64, "a" * 64]
    expected = hashlib.sha256(f"{'a' * 64}\n{'b' * 64}\n".encode()).hexdigest()
    assert data_hash(hashes) == data_hash(hashes[::-1]) == expected


def test_a_failed_self_test_and_a_missing_threshold_are_written(certificate):
    failed = replace(
        certificate, self_test=replace(certificate.self_test, difference=0.2), point=None, measured=()
    )
    page = render_certificate(failed)
    assert "Self-test failed" in page and "No threshold is in force" in page
    assert "has not been measured on a labelled set" in page
