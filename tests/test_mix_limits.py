"""Mixtures: limits of any column, groups made of anything, and how the budget is counted."""

import json
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import CurateError, DataError, RecipeError
from curate.mix.spec import MixSpec
from curate.mixture.cells import REST, Cells, Finder, numbered_cells, ranked
from curate.workspace.addresses import host_of, hosts, values

LONG = 9
"""Words of the longest text."""


@pytest.fixture
def web(offline):
    """Three sources whose texts have an address and a year; 13 hosts, three of them large."""
    rng = np.random.default_rng(3)
    for source, texts in (("web", 240), ("wiki", 90), ("code", 30)):
        rows = []
        for number in range(texts):
            host = ("big.org", "mid.org", "small.org")[int(rng.choice(3, p=(0.6, 0.3, 0.1)))]
            host = f"h{number % 10}.net" if rng.random() < 0.3 else host
            words = " ".join(rng.choice(["soup", "tea", "rice"], rng.integers(1, LONG)))
            row = {"text": f"{source} {number} {words}", "year": int(2001 + number % 3)}
            rows.append(row | {"url": f"https://{host}:8080/{number}"})
        offline.lines(f"{source}.jsonl", rows)
    offline.pool(holdout=0.1)
    offline.run("clean", rules=[], near_duplicates=None)
    return offline


def drawn_by(offline, key):
    """The tokens drawn of each value, by a function of a row of the pool."""
    pool = {row["id"]: row for row in offline.rows("pool")}
    sums = defaultdict(int)
    for row in offline.rows("mix"):
        sums[key(pool[row["id"]])] += row["copies"] * pool[row["id"]]["tokens"]
    return sums


def host(row):
    return host_of(json.loads(row["meta"])["url"])


LARGEST = 12 + 5 * LONG
"""No text has more tokens (bytes)."""


def test_the_fewest_epochs_that_are_named_hold_for_a_document(web):
    """They stand beside each document, also beside those that are not drawn."""
    named = {"web": 3, "h1.net": 5, "big.org": 2, "code": 8}
    limits = {name: {"max_epochs": most} for name, most in named.items()}
    limits = {("host=" if "." in name else "") + name: limit for name, limit in limits.items()}
    web.run("mix", groups=["source"], limits=limits, max_epochs=4, budget="270%")
    pool = {row["id"]: row for row in web.rows("pool")}
    for row in web.rows("mix"):
        own = pool[row["id"]]
        told = [named[name] for name in (own["source"], host(own)) if name in named]
        assert row["max_epochs"] == min(told, default=4)
        assert row["copies"] <= row["max_epochs"]
    assert {row["copies"] for row in web.rows("mix")} == {2, 3, 4}


def test_no_host_has_more_than_its_limit(web):
    limits = {"host=*": {"max_share": 0.15}, "host=mid.org": {"max_share": 0.2}}
    made = web.run("mix", budget="60%", limits=limits)
    drawn, budget = drawn_by(web, host), made.budget
    assert drawn["big.org"] == pytest.approx(0.15 * budget, abs=3 * LARGEST)
    assert drawn["mid.org"] <= 0.2 * budget + 3 * LARGEST
    assert made.tokens == pytest.approx(budget, abs=LARGEST)
    assert [limit.limit for limit in made.limits] == ["host=mid.org"]
    free = web.run("mix", budget="60%")
    assert drawn_by(web, host)["big.org"] > 0.3 * free.budget


def test_a_limit_of_a_column_moves_no_more_than_it_must(web):
    """Documents of other hosts keep their proportions: KL moves all of them by one factor."""
    before = web.run("mix", budget="40%")
    free, by_source = drawn_by(web, host), drawn_by(web, lambda row: (row["source"], host(row)))
    made = web.run("mix", budget="40%", limits={"host=big.org": {"max_share": 0.1}})
    now = drawn_by(web, host)
    factor = (1 - 0.1) / (1 - free["big.org"] / before.tokens)
    assert now["mid.org"] == pytest.approx(factor * free["mid.org"], abs=4 * LARGEST)
    limit = made.limits[0]
    assert (limit.limit, limit.side) == ("host=big.org", "max_share")
    assert limit.share == pytest.approx(0.1)
    was = sum(
        group.promised * by_source[group.group, "big.org"] / (group.realised * before.tokens)
        for group in before.groups
    )
    expected = 0.1 * np.log(0.1 / was) + 0.9 * np.log(0.9 / (1 - was))
    assert limit.gain == pytest.approx(expected, abs=1e-9)
    assert limit.multiplier == pytest.approx(np.log(0.1 / was) - np.log(0.9 / (1 - was)), abs=1e-9)


def test_columns_and_groups_are_limited_together(web):
    limits = {
        "source=web": {"max_share": 0.4},
        "host=big.org": {"max_share": 0.2},
        "meta.year=2001": {"min_share": 0.5},
        "code": {"min": 0.15},
    }
    made = web.run("mix", budget="50%", groups=["source"], limits=limits)
    shares = {limit.limit: limit.share for limit in made.limits}
    assert shares["source=web"] <= 0.4 + 1e-9
    assert shares["host=big.org"] <= 0.2 + 1e-9
    assert shares["meta.year=2001"] >= 0.5 - 1e-9
    assert shares["code"] >= 0.15 - 1e-9
    years = drawn_by(web, lambda row: json.loads(row["meta"])["year"])
    assert years[2001] == pytest.approx(0.5 * made.budget, abs=6 * LARGEST)
    by_group = {group.group: group for group in made.groups}
    assert by_group["web"].promised == pytest.approx(shares["source=web"])
    assert by_group["web"].bound == "source=web max_share"


def test_epochs_are_limited_by_group_and_by_column(web):
    """Scarce data bears more repeats: code is drawn eight times, all else twice at most."""
    limits = {"code": {"max_epochs": 8}, "host=big.org": {"max_epochs": 1}}
    made = web.run(
        "mix", budget="150%", max_epochs=2, between={"strategy": "uniform"}, limits=limits
    )
    pool = {row["id"]: row for row in web.rows("pool")}
    most = defaultdict(int)
    for row in web.rows("mix"):
        own = pool[row["id"]]
        most[own["source"], host(own) == "big.org"] = max(
            most[own["source"], host(own) == "big.org"], row["copies"]
        )
    assert most["code", False] == 8
    assert {most[source, True] for source in ("web", "wiki", "code")} == {1}
    assert max(most["web", False], most["wiki", False]) == 2
    assert made.tokens == pytest.approx(made.budget, abs=LARGEST)


def test_tokens_limit_a_column_too(web):
    made = web.run("mix", budget=4000, limits={"host=big.org": {"max_tokens": "1k"}})
    assert drawn_by(web, host)["big.org"] == pytest.approx(1000, abs=3 * LARGEST)
    assert made.limits[0].side == "max_tokens"


def test_limits_in_conflict_are_named(web):
    limits = {"meta.year=2001": {"max_share": 0.2}, "meta.year=2002": {"max_share": 0.5}}
    limits |= {"meta.year=2003": {"max_share": 0.25}, "host=big.org": {"max_share": 0.3}}
    with pytest.raises(DataError, match=r"can fill 95\.00%") as caught:
        web.run("mix", budget="30%", limits=limits)
    assert "big.org" not in str(caught.value)
    limits = {"source=wiki": {"min_share": 0.5}, "host=big.org": {"min_share": 0.2}}
    limits |= {"source=code": {"min_share": 0.4}, "host=mid.org": {"min_share": 0.85}}
    with pytest.raises(DataError, match=r"host=big\.org 20\.00%, host=mid\.org 85\.00%"):
        web.run("mix", budget="10%", limits=limits)
    assert web.workspace.tables.stored("mix") is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"limits": {"hots=a.org": {"max_share": 0.2}}}, "no column hots"),
        ({"limits": {"source=wikki": {"max_share": 0.2}}}, "source has no value wikki"),
        ({"groups": ["hosts"]}, "nothing to group by is called hosts"),
        ({"within": {"strategy": "threshold"}}, "scores has not been made yet"),
        ({"tokenizer": "o20k_base"}, "mix.tokenizer: no encoding named o20k_base"),
        ({"between": {"weights": {"file": "no.json"}}}, "mix.between.weights: no file"),
        ({"groups": ["quality_bucket"]}, "score"),
    ],
)
def test_what_is_misspelt_costs_a_line(web, settings, words):
    with pytest.raises(CurateError, match=words) as caught:
        web.run("mix", **settings)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert web.workspace.tables.stored("mix") is None


def test_a_limit_of_a_host_that_nobody_has_is_told(web):
    made = web.run("mix", limits={"host=none.org": {"max_share": 0.2}})
    told = {warning.key: warning.figures for warning in made.warnings}
    assert told["mix.unused_limits"] == {"groups": ["host=none.org"]}


# ── groups


def test_small_groups_are_one(web):
    """Each of 400 hosts of one text is below .1 % of the tokens; those that limits name stay."""
    rows = [
        {"text": f"{'soup and tea ' * 400} {number}", "url": f"https://large.org/{number}"}
        for number in range(100)
    ]
    rows += [{"text": f"one {n}", "url": f"https://tiny{n}.org/x"} for n in range(400)]
    web.lines("more.jsonl", rows)
    web.pool("more.jsonl", holdout=0)
    web.run("clean", rules=[], near_duplicates=None)
    made = web.run("mix", groups=["host"], budget="80%", limits={"tiny7.org": {"max": 0.5}})
    assert [group.group for group in made.groups] == ["large.org", "tiny7.org", "other"]
    assert any("399 groups" in note for note in made.notes)
    drawn = drawn_by(web, host)
    other = next(group for group in made.groups if group.group == "other")
    assert sum(drawn[f"tiny{n}.org"] for n in range(400) if n != 7) == pytest.approx(
        other.realised * made.tokens
    )
    everyone = web.run("mix", groups=["host"], budget="80%", limits={"*": {"max": 0.999}})
    assert len(everyone.groups) == 401


def test_groups_by_what_the_rows_say(web):
    made = web.run("mix", groups=["meta.year", "host"], budget="50%")
    assert {group.group.split("/")[0] for group in made.groups} == {"2001", "2002", "2003"}
    assert "2001/big.org" in [group.group for group in made.groups]
    made = web.run("mix", groups=["meta.nothing"], budget="50%")
    assert [group.group for group in made.groups] == ["unknown"]


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("https://WWW.Example.org:443/a?b#c", "www.example.org"),
        ("http://例子.中国/页", "例子.中国"),
        ("no address", None),
        ("http://[broken", None),
    ],
)
def test_the_host_of_an_address(address, own):
    assert host_of(address) == own


def with_quality(offline, qualities, **more):
    """Write scores: the quality, and more columns, of each document by functions of its id."""
    workspace = offline.workspace
    made = workspace.freshness.provenance(
        "score", offline.spec("score"), workspace.tables.fingerprints(("pool", "clean"))
    )
    with workspace.tables.building("scores", made) as folder:
        for shard in workspace.documents.shards():
            ids = shard.read(["id"])["id"]
            table = pa.table(
                {
                    "id": ids,
                    "quality": pa.array([qualities(id) for id in ids.to_pylist()], pa.float64()),
                    **{name: pa.nulls(len(ids), pa.float64()) for name in ("low", "high")},
                    **{name: np.zeros(len(ids), bool) for name in ("abstained", "out_of_fold")},
                    **{
                        name: pa.array([own(id) for id in ids.to_pylist()], pa.float64())
                        for name, own in more.items()
                    },
                }
            )
            pq.write_table(table, folder / shard.name)


def by_id(id):
    return int(id[:4], 16) / 16**4


def test_quality_buckets_are_fifths_of_the_whole_pool(web):
    with_quality(web, lambda id: None if id[0] == "0" else by_id(id))
    made = web.run("mix", groups=["quality_bucket"], budget="50%")
    assert [group.group for group in made.groups] == ["1", "2", "3", "4", "5", "unknown"]
    held = {row["id"] for row in web.rows("pool") if row["holdout"]}
    known = sorted(by_id(row["id"]) for row in web.rows("pool") if row["id"][0] != "0"
                   and row["id"] not in held)  # fmt: skip
    for row in web.rows("mix"):
        if row["id"][0] != "0":
            rank = known.index(by_id(row["id"]))
            assert row["group"] == str(1 + 5 * rank // len(known))


def test_a_threshold_draws_nothing_below_it(web):
    with_quality(web, by_id)
    within = {"strategy": "threshold", "at_least": 0.7}
    made = web.run("mix", within=within, budget="200%", max_epochs=4)
    rows = web.rows("mix")
    assert {row["copies"] for row in rows if by_id(row["id"]) < 0.7} == {0}
    assert min(row["copies"] for row in rows if by_id(row["id"]) >= 0.7) >= 1
    tokens = {row["id"]: row["tokens"] for row in web.rows("pool")}
    assert made.supply == sum(tokens[row["id"]] for row in rows if by_id(row["id"]) >= 0.7)
    with pytest.raises(DataError, match=r"no document has a quality of 1 or more; the best has 0"):
        web.run("mix", within={"strategy": "threshold", "at_least": 1.0})


def test_quadmix_weighs_the_rank_of_merged_columns(web):
    """The weight is the paper's sigmoid of the rank of 2/3 quality, 1/3 spread, each z-scored."""
    with_quality(web, by_id, spread_low=lambda id: 1 - by_id(id) ** 3)
    within = {
        "strategy": "quadmix",
        "columns": {"quality": 2.0, "spread_low": -1.0},
        "cut": 0.4,
        "steepness": 20.0,
        "power": 2.0,
        "floor": 0.05,
    }
    web.run("mix", within=within, budget="20%")
    rows = web.rows("mix")
    for group in ("web", "wiki"):
        own = [row for row in rows if row["group"] == group]
        quality = np.array([by_id(row["id"]) for row in own])
        z = [(x - x.mean()) / x.std() for x in (quality, 1 - quality**3)]
        merged = 2 * z[0] - z[1]
        place = np.empty(len(own))
        place[np.argsort(-merged)] = np.arange(len(own))
        rank = (place + 0.5) / len(own)
        expected = np.where(
            rank <= 0.4, (2 / (1 + np.exp(-20.0 * (0.4 - rank)))) ** 2.0 + 0.05, 0.05
        )
        np.testing.assert_allclose([row["weight"] for row in own], expected, rtol=1e-9)
    with pytest.raises(
        RecipeError, match="no column of scores that holds numbers is called qualty"
    ):
        web.run("mix", within={"strategy": "quadmix", "columns": {"qualty": 1.0}})


def test_unimax_shares_equally_up_to_the_epochs(web):
    """Code cannot fill a third even four times over: all of it is wanted, the rest is halved."""
    made = web.run("mix", between={"strategy": "unimax"}, budget="150%")
    groups = {group.group: group for group in made.groups}
    code = 4 * groups["code"].supply_mean_tokens * 30 / made.budget
    assert groups["code"].promised <= code + 1e-9
    rest = (1 - groups["code"].promised) / 2
    assert groups["wiki"].promised == pytest.approx(min(rest, groups["wiki"].promised))
    assert groups["web"].promised == pytest.approx(
        1 - groups["code"].promised - groups["wiki"].promised
    )


# ── weights out of a file, two counts


def test_weights_come_out_of_a_file(web):
    path = web.root / "w.json"
    path.write_text('{"web": 1, "code": 3}')
    made = web.run("mix", between={"weights": {"file": "w.json"}}, budget="10%")
    assert {group.group: group.promised for group in made.groups} == pytest.approx(
        {"web": 0.25, "code": 0.75, "wiki": 0.0}
    )
    path.write_text('{"web": 1, "cod": 3}')
    with pytest.raises(RecipeError, match=r"w.json names cod, and there is no such group"):
        web.run("mix", between={"weights": {"file": "w.json"}})
    for text, words in (
        ("[1]", "not a mapping"),
        ('{"web": -1}', "the weight of web is -1"),
        ('{"web": true}', "the weight of web is true"),
        ('{"web": 0}', "all weights are 0"),
        (f'{{"web": 17{"0" * 307}, "code": 17{"0" * 307}, "wiki": 1.5}}', "no finite sum"),
        ("{", "not JSON"),
    ):
        path.write_text(text)
        with pytest.raises(RecipeError, match=words):
            web.run("mix", between={"weights": {"file": "w.json"}})


def test_the_budget_is_counted_by_another_tokenizer(web):
    from curate import tokens

    count = tokens.counter("o200k_base")
    made = web.run("mix", tokenizer="o200k_base", extra_tokens=1, budget=2000)
    pool = {row["id"]: row for row in web.rows("pool")}
    rows = web.rows("mix")
    own = sum(row["copies"] * (1 + count(pool[row["id"]]["text"])) for row in rows)
    assert made.tokens == own == pytest.approx(2000, abs=LONG + 6)
    assert made.pool_tokens == sum(row["copies"] * pool[row["id"]]["tokens"] for row in rows)
    assert sum(group.supply_mean_tokens for group in made.groups) > 0


def test_mean_lengths_stand_beside_each_other(web):
    made = web.run("mix", budget="30%")
    tokens = {row["id"]: row["tokens"] for row in web.rows("pool")}
    for group in made.groups:
        rows = [row for row in web.rows("mix") if row["group"] == group.group]
        drawn = [tokens[row["id"]] for row in rows for _ in range(row["copies"])]
        assert group.mean_tokens == pytest.approx(np.mean(drawn))
        assert group.supply_mean_tokens == pytest.approx(
            np.mean([tokens[row["id"]] for row in rows])
        )


# ── cells


def test_cells_do_not_depend_on_the_order_of_parts():
    rng = np.random.default_rng(1)
    group = rng.integers(0, 3, 200)
    host = pa.array([None if n == 4 else f"h{n}" for n in rng.integers(0, 5, 200)], pa.string())
    tokens = rng.integers(0, 9, 200)
    numbers, part = numbered_cells(group, [host], tokens)
    whole = Cells.of([part])
    own = Finder.of(whole).numbers(part)
    halves = [numbered_cells(group[rows], [host.take(pa.array(rows))], tokens[rows])
              for rows in (np.arange(100, 200), np.arange(100))]  # fmt: skip
    joined = Cells.of([part for _, part in halves])
    second, first = (Finder.of(joined).numbers(part) for _, part in halves)
    assert_same(whole, joined)
    assert whole.words == (("h0", "h1", "h2", "h3"),)
    ends = [own[numbers].tolist(), [*first[halves[1][0]], *second[halves[0][0]]]]
    assert ends[0] == ends[1]
    few, moved = whole.told_apart([np.array([False, True, False, False])])
    assert len(few) == 6
    assert set(few.codes[0].tolist()) == {REST, 1}
    assert few.tokens.sum() == whole.tokens.sum() == tokens.sum()
    assert (few.group[moved] == whole.group).all()


def assert_same(cells, others):
    for name in ("group", "levels", "documents", "before"):
        assert getattr(cells, name).tolist() == getattr(others, name).tolist()
    assert [codes.tolist() for codes in cells.codes] == [codes.tolist() for codes in others.codes]
    assert cells.words == others.words


@pytest.mark.parametrize("waiting", [1, 40, 10_000])
def test_cells_are_those_of_a_dictionary_however_many_wait(monkeypatch, waiting):
    """Two columns, documents with up to three copies, and parts that do not know all values."""
    monkeypatch.setattr("curate.mixture.cells.WAITING", waiting)
    rng = np.random.default_rng(waiting)
    rows, parts = [], []
    for number in range(12):
        size = int(rng.integers(1, 40))
        group = rng.integers(0, 4, size)
        columns = [
            [
                None if value == 0 else f"{letter}{value}"
                for value in rng.integers(0, 4 + number, size)
            ]
            for letter in "xy"
        ]
        tokens, before = rng.integers(1, 9, size), rng.integers(0, 1 + number % 4, size)
        own = zip(group.tolist(), *columns, tokens.tolist(), before.tolist(), strict=True)
        rows.append(list(own))
        told = [pa.array(column, pa.string()) for column in columns]
        parts.append(numbered_cells(group, told, tokens, before))
    cells = Cells.of(part for _, part in parts)
    expected = defaultdict(lambda: [0, 0, 0, 0])
    for group, one, other, tokens, had in (row for own in rows for row in own):
        expected[group, one or "", other or ""][had] += tokens
    order = sorted(expected)
    words = [["", *own] for own in cells.words]
    names = zip(cells.group.tolist(), *((codes + 1).tolist() for codes in cells.codes), strict=True)
    assert [(group, words[0][one], words[1][other]) for group, one, other in names] == order
    assert cells.levels.tolist() == [expected[key] for key in order]
    finder = Finder.of(cells)
    for own, (numbers, part) in zip(rows, parts, strict=True):
        found = finder.numbers(part)[numbers].tolist()
        assert found == [
            order.index((group, one or "", other or "")) for group, one, other, *_ in own
        ]


@pytest.mark.parametrize("top", [3, 10_000])
def test_ranks_with_and_without_a_sort_are_those_of_unique(top):
    keys = np.random.default_rng(top).integers(0, top, 200)
    assert ranked(keys).tolist() == np.unique(keys, return_inverse=True)[1].tolist()
    assert ranked(keys[:0]).tolist() == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"min": 0.1, "min_share": 0.2}, "min and min_share are the same"),
        ({"min_share": 0.5, "max_share": 0.4}, "min is 0.5, above max, 0.4"),
        ({"max_tokens": "many"}, "is not a budget"),
        ({"max_epochs": 0}, "greater than or equal to 1"),
        ({"share": 0.2}, "Extra inputs"),
    ],
)
def test_limits_that_are_none(limit, words):
    with pytest.raises(ValueError, match=words):
        MixSpec(limits={"source=web": limit})


METAS = [
    '{"url": "https://a.org:80/x", "part": "p1"}',
    '{"part": 3, "URL": "HTTP://B.org"}',
    '{"part": "", "links": ["https://c.org/1", "https://d.org"]}',
    '{"links": ["https://c.org/1"], "url": "https://z.org"}',
    '{"deep": {"part": "inner", "page_url": "https://user:word@e.org/q?u=\\"x"}}',
    '{"say": "a \\"url\\": \\"https://no.org\\" inside", "part": "p\\\\2"}',
    '{"url": "no address", "uri": "https://f.org"}',
    '{"url": 7, "href": null, "part": null}',
    '{"note": "https://g.org is no address", "part": [1, 2]}',
    '{"url": "https://[broken", "part": "中文"}',
    '{"url": "https://例子.中国/页", "part": true}',
    '{"a": {"url": "https://h.org"}, "part": {"b": 1}}',
    "{}",
    None,
]
PLAIN = [
    '{"note": "a/b/c", "url": "http://i.org/x/y", "part": "p/1"}',
    '{"note": "/", "say": "http", "link": "ftp://j.org?a/b"}',
    '{"url": "file:///tmp/k"}',
    '{"url": "http://"}',
    '{"url": "http:////l.org"}',
    '{"url": "//m.org"}',
    '{"note": "//n.org", "url": "o"}',
    None,
    '{"home_page_address": "https://p.org:8080"}',
]
"""No backslash in any of them."""


def parsed(meta, media):
    from curate.takedown.listed import addresses

    found = map(host_of, addresses({"meta": meta, "media": media}))
    return next((host for host in found if host), "unknown")


def test_hosts_of_texts_without_a_backslash_are_those_that_parsing_finds():
    texts = pa.chunked_array([pa.array(PLAIN, pa.string())])
    image = pa.list_(pa.struct([("address", pa.string())]))
    images = pa.chunked_array([pa.nulls(len(PLAIN), image)])
    found = hosts(texts, images, "unknown").to_pylist()
    assert found == [parsed(text, None) for text in PLAIN]
    assert found == ["i.org", "j.org", *["unknown"] * 3, "m.org", *["unknown"] * 2, "p.org"]
    assert hosts(texts.slice(7, 1), images.slice(7, 1), "unknown").to_pylist() == ["unknown"]


def test_what_an_expression_finds_is_what_parsing_finds():
    meta = pa.chunked_array([pa.array(METAS[:5]), pa.array(METAS[5:], pa.string())])
    image = pa.struct([("address", pa.string())])
    media = [None] * 12 + [[{"address": "https://pictures.org/1"}], None]
    found = hosts(meta, pa.chunked_array([pa.array(media, pa.list_(image))]), "unknown").to_pylist()
    assert found == [parsed(*row) for row in zip(METAS, media, strict=True)]
    assert found[:6] == ["a.org", "b.org", "c.org", "c.org", "e.org", "unknown"]
    assert found[6] == "f.org"
    own = values(meta, "part", "unknown").to_pylist()
    assert own == ["p1", "3", "unknown", "unknown", "unknown", "p\\2", "unknown", "unknown",
                   "[1, 2]", "中文", "true", '{"b": 1}', "unknown", "unknown"]  # fmt: skip
