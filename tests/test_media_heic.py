"""HEIC: read where its package is installed, else kept aside with the line that installs it."""

import io

import numpy as np
import pytest

from curate.media import MediumError, images
from curate.media.images import decode
from curate.media.metadata import tells_place, without_places
from curate.media.probing import probe
from tests.pictures_made import encoded, located, picture

HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture(autouse=True)
def _afresh():
    images._read_heic.cache_clear()
    yield
    images._read_heic.cache_clear()


def test_without_its_package_the_reason_names_the_line(monkeypatch):
    monkeypatch.setattr(images, "is_there", lambda package: package != "pillow_heif")
    reason = probe(io.BytesIO(HEAD + bytes(100)), suffix=".heic")
    assert reason == ("HEIC needs the package pillow_heif: pip install pillow-heif==1.8.1")
    with pytest.raises(MediumError, match="pip install pillow-heif"):
        decode(HEAD + bytes(100))


def test_a_photo_is_read_and_its_place_left_out():
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.register_heif_opener()
    own = picture(size=(96, 64))
    data = encoded(own, "HEIF", exif=located().tobytes(), quality=95)
    facts = probe(io.BytesIO(data), suffix=".heic")
    assert (facts.kind, facts.format, facts.width, facts.height) == (
        "image",
        "heic",
        *own.size,
    ) or (
        (facts.kind, facts.format, facts.height, facts.width) == ("image", "heic", *own.size)
    )  # upright: the camera was turned
    assert tells_place(data)
    cleaned = without_places(data)
    assert not tells_place(cleaned)
    assert np.array_equal(np.asarray(decode(cleaned)), np.asarray(decode(data)))


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_photo_that_is_cut_off_costs_itself_alone(part):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.register_heif_opener()
    data = encoded(picture(size=(96, 64)), "HEIF")
    assert isinstance(probe(io.BytesIO(data[: int(len(data) * part)]), suffix=".heic"), str)
