"""Regions and boxes: their edges, overlaps, middles and keys; how people's marks are settled."""

import pytest

from curate.agree.annotators import is_same
from curate.agree.kinds import settled
from curate.agree.results import measured
from curate.agree.spec import AgreeSpec
from curate.agree.truth.areas import Areas
from curate.agree.truth.spans import majority
from curate.agree.votes import Answer, Shown
from curate.areas import area_key, area_of_key, middle, overlap, spoken, wrong_edges
from curate.records import Question


def region(start, end, label="speech", **more):
    return {"start": start, "end": end, "label": label, **more}


def box(x, y, width, height, label="cat", **more):
    return {"x": x, "y": y, "width": width, "height": height, "label": label, **more}


@pytest.mark.parametrize(
    ("kind", "area", "key"),
    [
        ("regions", region(1.5, 3.25), "1.5:3.25:speech"),
        ("regions", region(0, 2), "0.0:2.0:speech"),
        ("regions", region(1e-05, 7, "a:b 7:8"), "1e-05:7.0:a:b 7:8"),
        ("regions", region(1.0, 2.0, field="left"), "left@1.0:2.0:speech"),
        ("boxes", box(10.1, 20, 30.25, 40), "10.1:20.0:30.25:40.0:cat"),
        ("boxes", box(1, 2, 3, 4, "5:6@x", field="b"), "b@1.0:2.0:3.0:4.0:5:6@x"),
        ("boxes", box(1, 2, 3, 4, "x@5:6:7:8:9"), "1.0:2.0:3.0:4.0:x@5:6:7:8:9"),
    ],
)
def test_a_key_names_an_area_exactly(kind, area, key):
    assert area_key(kind, area) == key
    assert area_of_key(kind, key) == {"field": None, **area}


def test_what_is_no_key_is_refused():
    for kind, key in (("regions", "1.5:speech"), ("boxes", "1:2:3:cat"), ("regions", "x")):
        with pytest.raises(ValueError, match="is not a key"):
            area_of_key(kind, key)


@pytest.mark.parametrize(
    ("kind", "area", "wrong"),
    [
        ("regions", region(0, 0.001), None),
        ("regions", region(2.0, 2.0), "the region 2:2 is not a stretch of time"),
        ("regions", region(-0.1, 1), "the region -0.1:1 is not a stretch of time"),
        ("regions", region(0, float("nan")), "start and end are numbers"),
        ("regions", region(0, True), "start and end are numbers"),
        ("regions", {"start": 0, "label": "a"}, "start and end are numbers"),
        ("boxes", box(0, 0, 100, 100), None),
        ("boxes", box(60, 0, 40.0000001, 1), None),
        ("boxes", box(60, 0, 41, 1), "is not within the picture"),
        ("boxes", box(-1, 0, 5, 5), "is not within the picture"),
        ("boxes", box(1, 1, 0, 5), "is not within the picture"),
        ("boxes", box(1, 1, "5", 5), "x and y and width and height are numbers"),
    ],
)
def test_edges_are_checked(kind, area, wrong):
    said = wrong_edges(kind, area)
    assert said is None if wrong is None else wrong in said


def test_overlap_is_the_part_of_the_union():
    assert overlap((0, 4), (2, 6)) == pytest.approx(2 / 6)
    assert overlap((0, 4), (4, 6)) == 0
    assert overlap((1, 2), (1, 2)) == 1
    # 10 × 10 each, shifted by 5 both ways: 25 shared of 175
    assert overlap((0, 0, 10, 10), (5, 5, 10, 10)) == pytest.approx(25 / 175)
    # the same columns, rows apart
    assert overlap((0, 0, 10, 10), (0, 20, 10, 10)) == 0


def test_the_middle_has_median_edges():
    assert middle([(1.0, 2.0), (1.2, 2.4), (3.0, 9.0)]) == (1.2, 2.4)
    # right and lower edges are medians too: 30, 31, 35 and 40, 44, 42
    assert middle([(10, 20, 20, 20), (11, 20, 20, 24), (12, 26, 23, 16)]) == (11, 20, 20, 22)
    # two people who agree to the last digit keep it
    exact = (0.1234567891, 0.7)
    assert middle([exact, exact]) == exact


def test_an_area_is_spoken():
    assert spoken("regions", region(1.5, 3.25)) == "speech: 1.5 to 3.25 s"
    assert spoken("boxes", box(10, 20, 30, 40)) == "cat: 30 × 40 % at 10, 20"


# ── settled


def test_a_region_of_most_people_stands_with_the_median_edges():
    votes = [
        ("s", "ann", [region(1.0, 3.0), region(7.0, 8.0, "noise")]),
        ("s", "bob", [region(1.2, 3.1)]),
        ("s", "cy", [region(0.9, 3.4), region(7.0, 8.0)]),
    ]
    truth = majority(votes, "audio", Areas("regions"))
    (label,) = truth.labels
    assert label.value == [region(1.0, 3.1)]
    assert label.posterior == {
        "1.0:3.1:speech": 1.0,
        "7.0:8.0:noise": pytest.approx(1 / 3),
        "7.0:8.0:speech": pytest.approx(1 / 3),
    }
    assert label.confidence == pytest.approx(1 * (2 / 3) * (2 / 3))
    # F1 of pairs: ann and bob 2/3, ann and cy 2·1/4, bob and cy 2/3
    assert label.agreement == pytest.approx((2 / 3 + 1 / 2 + 2 / 3) / 3)
    assert truth.skill["bob"].value == pytest.approx(2 / 3)
    assert truth.skill["ann"].value == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_box_of_half_the_people_is_undecided():
    votes = [("p", "ann", [box(0, 0, 50, 50)]), ("p", "bob", [])]
    (label,) = majority(votes, "image", Areas("boxes")).labels
    assert (label.value, label.undecided) == (None, True)
    assert label.posterior == {"0.0:0.0:50.0:50.0:cat": 0.5}


def test_boxes_need_half_their_union_and_the_same_label():
    alike = [("p", "ann", [box(0, 0, 40, 40)]), ("p", "bob", [box(5, 5, 40, 40)])]
    # 35 · 35 shared of 2 · 1600 − 1225: .62
    (label,) = majority(alike, "image", Areas("boxes")).labels
    assert label.value == [box(2.5, 2.5, 40, 40)]
    apart = [("p", "ann", [box(0, 0, 40, 40)]), ("p", "bob", [box(15, 15, 40, 40)])]
    assert majority(apart, "image", Areas("boxes")).labels[0].undecided
    named = [("p", "ann", [box(0, 0, 40, 40)]), ("p", "bob", [box(0, 0, 40, 40, "dog")])]
    assert majority(named, "image", Areas("boxes")).labels[0].undecided


def test_two_boxes_side_by_side_stay_two():
    votes = [
        ("p", person, [box(x, 10 + nudge, 20, 20) for x in (10, 35)])
        for nudge, person in enumerate(("ann", "bob", "cy"))
    ]
    (label,) = majority(votes, "image", Areas("boxes")).labels
    assert label.value == [box(10, 11, 20, 20), box(35, 11, 20, 20)]
    assert label.agreement == 1


def test_fields_keep_boxes_apart():
    votes = [
        ("p", "ann", [box(0, 0, 40, 40, field="a")]),
        ("p", "bob", [box(0, 0, 40, 40, field="b")]),
        ("p", "cy", [box(0, 0, 40, 40, field="a")]),
    ]
    (label,) = majority(votes, "a", Areas("boxes")).labels
    assert label.value == [box(0, 0, 40, 40, field="a")]


BOXES = Question("boxes", "boxes", ("image",), ("cat", "dog"), ("Cat", "Dog"))


def test_a_question_of_boxes_asks_of_each_label_whether_it_occurs():
    said = {
        "p": {"ann": [box(0, 0, 40, 40)], "bob": [box(0, 0, 40, 40)]},
        "q": {"ann": [box(0, 0, 9, 9, "dog")], "bob": [box(50, 50, 9, 9, "dog")]},
        "r": {"ann": [], "bob": [box(50, 50, 9, 9)]},
    }
    answers = [
        Answer(task, "boxes", person, value, None, Shown(task), "boxes")
        for task, people in said.items()
        for person, value in people.items()
    ]
    whole, cats, dogs = settled(BOXES, answers, "majority")
    assert [label.value for label in whole.truth.labels] == [[box(0, 0, 40, 40)], None, None]
    assert (cats.question.name, dogs.question.name) == ("boxes:cat", "boxes:dog")
    assert [label.value for label in dogs.truth.labels] == ["absent", "present", "absent"]
    results = [measured(one, AgreeSpec(bootstrap=10)) for one in (whole, cats, dogs)]
    assert [own.alpha for own in results] == [None, pytest.approx(4 / 9), 1.0]


def test_gold_boxes_are_right_where_they_overlap():
    known = [box(0, 0, 40, 40), box(60, 60, 10, 10, "dog")]
    near = [box(60, 61, 10, 10, "dog"), box(1, 1, 40, 40)]
    assert is_same(BOXES, near, known)
    assert not is_same(BOXES, near[:1], known)
    assert not is_same(BOXES, [near[0], box(30, 1, 40, 40)], known)
