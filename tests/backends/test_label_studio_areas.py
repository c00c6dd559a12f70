"""Regions and boxes between Label Studio's results and our values."""

import pytest

from curate.backends.label_studio.values import (
    read_result,
    write_annotation,
    write_items,
    write_prediction,
)
from curate.errors import DataError
from curate.forms import load_form, parse_form
from curate.records import Annotation, Suggestion

BOXES, REGIONS = load_form("boxes"), load_form("regions")
SHOWN = {"image": "/curate/media/x", "audio": "/curate/media/y"}
TWO = parse_form(
    """<View>
    <Image name="left" value="$a"/><Image name="right" value="$b"/>
    <RectangleLabels name="boxes" toName="left,right" canRotate="false">
      <Label value="Cat" alias="cat"/>
    </RectangleLabels></View>""",
    name="two",
)


def drawn(label="animal", **value):
    """A box as the browser stores it."""
    edges = {"x": 10.5, "y": 20, "width": 30, "height": 40.25}
    return {
        **{"original_width": 320, "original_height": 240, "image_rotation": 0, "origin": "manual"},
        **{"from_name": "boxes", "to_name": "image", "type": "rectanglelabels", "id": "a1"},
        "value": {**edges, "rotation": 0, "rectanglelabels": [label], **value},
    }


def heard(start, end, label="speech"):
    """A region as the browser stores it."""
    value = {"start": start, "end": end, "channel": 0, "labels": [label]}
    more = {"original_length": 4.0, "from_name": "regions", "to_name": "audio", "type": "labels"}
    return {**more, "id": "b2", "value": value}


def test_boxes_come_home_in_percent():
    value, wrong = read_result(BOXES, [drawn(), drawn("person", x=0)], SHOWN)["boxes"]
    assert wrong is None
    assert value == [
        {"x": 0.0, "y": 20.0, "width": 30.0, "height": 40.25, "label": "person"},
        {"x": 10.5, "y": 20.0, "width": 30.0, "height": 40.25, "label": "animal"},
    ]


def test_regions_come_home_in_seconds():
    result = [heard(2.5, 3.25, "noise"), heard(0, 1.125)]
    value, wrong = read_result(REGIONS, result, SHOWN)["regions"]
    assert wrong is None
    assert value == [
        {"start": 0.0, "end": 1.125, "label": "speech"},
        {"start": 2.5, "end": 3.25, "label": "noise"},
    ]


def test_nothing_marked_is_an_answer():
    assert read_result(BOXES, [], SHOWN) == {"boxes": ([], None)}
    assert read_result(REGIONS, [], SHOWN) == {"regions": ([], None)}


@pytest.mark.parametrize(
    ("item", "wrong"),
    [
        (drawn(rotation=12), "a box or its picture is turned"),
        ({**drawn(), "image_rotation": 90}, "a box or its picture is turned"),
        (drawn(rectanglelabels=[]), "a mark has no label"),
        (drawn(x="10"), "x is '10', not a number"),
        (drawn(width=None), "width is None, not a number"),
        (drawn(width=95), "is not within the picture"),
        (drawn("cow"), "'cow' is not one of the labels"),
        ({**drawn(), "type": "polygonlabels"}, "boxes is answered by polygonlabels"),
    ],
)
def test_a_wrong_box_is_refused_with_its_reason(item, wrong):
    value, said = read_result(BOXES, [item], SHOWN)["boxes"]
    assert wrong in said
    assert value == [item]


def test_what_is_suggested_or_put_back_reads_as_the_same():
    areas = [{"x": 1.5, "y": 2.0, "width": 3.0, "height": 4.0, "label": "text"}]
    items = write_items(BOXES, "boxes", areas)
    assert items == [
        {
            **{"from_name": "boxes", "to_name": "image", "type": "rectanglelabels"},
            "value": {
                **{"x": 1.5, "y": 2.0, "width": 3.0, "height": 4.0, "rotation": 0},
                "rectanglelabels": ["text"],
            },
        }
    ]
    assert read_result(BOXES, items, SHOWN)["boxes"] == (areas, None)
    own = write_annotation(BOXES, [Annotation("t", "boxes", "ann", areas, "submitted")])
    assert own["result"] == items
    stretch = [{"start": 0.5, "end": 2.0, "label": "music"}]
    suggested = write_prediction(REGIONS, [Suggestion("regions", stretch, 0.9)], SHOWN, "m")
    assert suggested["score"] == 0.9
    assert read_result(REGIONS, suggested["result"], SHOWN)["regions"] == (stretch, None)


def test_a_wrong_suggestion_is_not_sent():
    beyond = [{"x": 90, "y": 0, "width": 20, "height": 5, "label": "text"}]
    with pytest.raises(DataError, match="is not within the picture"):
        write_prediction(BOXES, [Suggestion("boxes", beyond)], SHOWN, "m")


def test_boxes_on_two_pictures_say_on_which():
    items = [{**drawn("cat"), "to_name": "right"}, {**drawn("cat", x=1), "to_name": "left"}]
    value, wrong = read_result(TWO, items, {"a": "1", "b": "2"})["boxes"]
    assert wrong is None
    assert [(own["field"], own["x"]) for own in value] == [("a", 1.0), ("b", 10.5)]
    written = write_items(TWO, "boxes", value)
    assert [item["to_name"] for item in written] == ["left", "right"]
