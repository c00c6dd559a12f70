"""Lines of regions, boxes and media on pages, broken on purpose."""

from __future__ import annotations

from tests.mutants.breaking import Mutant

AREAS = (
    Mutant(
        "areas overlap by their union",
        "curate/areas.py",
        "union = size(one) + size(other) - shared",
        "union = max(size(one), size(other))",
        ("tests/test_areas.py::test_overlap_is_the_part_of_the_union",),
    ),
    Mutant(
        "the far edge of a box is a median too",
        "curate/areas.py",
        "sizes = [high - low for low, high in zip(lows, highs, strict=True)]",
        "sizes = [median(area[2 + axis] for area in areas) for axis in (0, 1)]",
        ("tests/test_areas.py::test_the_middle_has_median_edges",),
    ),
    Mutant(
        "a box lies in its picture",
        "curate/areas.py",
        "max(x + width, y + height) > most",
        "max(x, y) > most",
        ("tests/test_areas.py::test_edges_are_checked",),
    ),
    Mutant(
        "the area with which most people agree comes first",
        "curate/agree/truth/areas.py",
        "key=lambda own: len({person for person, _ in own})",
        "key=lambda own: -len({person for person, _ in own})",
        ("tests/test_areas.py::test_a_region_of_most_people_stands_with_the_median_edges",),
    ),
    Mutant(
        "an address of media is signed",
        "curate/servers/shelf.py",
        'if not hmac.compare_digest(expected, place["signature"]):',
        "if not expected:",
        ("tests/test_shelf.py::test_a_forged_address_brings_nothing",),
    ),
    Mutant(
        "links among media are not followed",
        "curate/servers/shelf.py",
        "flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "flags = os.O_RDONLY | os.O_NONBLOCK",
        ("tests/test_shelf.py::test_links_and_pipes_are_not_followed",),
    ),
    Mutant(
        "a file that changed since it was pooled is not shown",
        "curate/backends/showing.py",
        "if medium.sha256 not in (None, sha256):",
        "if False:",
        ("tests/backends/test_showing.py::test_what_cannot_be_shown_is_named",),
    ),
    Mutant(
        "an answer to another picture is not taken",
        "curate/fetching/answers.py",
        "is_known = name in media and media[name].is_at(text)",
        "is_known = name in media",
        ("tests/test_media_rounds.py::test_an_answer_to_another_image_is_not_taken",),
    ),
    Mutant(
        "an image as data leaves without its place",
        "curate/backends/showing.py",
        "shown = placeless(file, medium.kind, size) or file.read()",
        "shown = file.read()",
        ("tests/test_media_places.py::test_a_page_gets_a_copy_without_the_place",),
    ),
    Mutant(
        "the samples of a track of places are erased with it",
        "curate/media/telemetry.py",
        "            if size:\n                yield at, bytes(size)",
        "            if size < 0:\n                yield at, bytes(size)",
        ("tests/test_media_places.py::test_a_track_of_places_goes_with_its_samples",),
    ),
)
