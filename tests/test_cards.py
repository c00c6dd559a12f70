"""The documents beside an export: quoted, in the hub's words, and read back by their readers."""

import gzip
import json
import re
import warnings
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from packaging.requirements import Requirement

from curate import storage
from curate.cards.croissant import CONTEXT, croissant
from curate.cards.environment import environment
from curate.cards.front import configs, front_matter, pattern, size_category
from curate.cards.languages import iso_639, iso_codes
from curate.cards.licenses import HUB, hub_license, hub_licenses, spdx_link
from curate.cards.mixture import mixture
from curate.cards.quoting import LONGEST, NOTHING, bullets, cell, inline, table, visible

HOSTILE = (
    *(
        "a | b",
        "| a |",
        "`code",
        "``",
        "<script>alert(1)</script>",
        "<!-- -->",
        "</table>",
        "# head",
    ),
    *("---", "===", "- item", "+ item", "* item", "1. one", "12) twelve", "> quote", "~~~", "```"),
    *(
        "[text](http://example.org)",
        "![image](http://example.org/x.png)",
        "[a]: http://x.y",
        "[^1]",
    ),
    *("a\n---\nb", "a\r\n# b", "a\n\n- b", "\tcode", "&lt;b&gt;", "&#124;", "\\", "\\|", "a\\"),
    *("*bold*", "__init__", "_a_", "snake_case", "$x$", "http://example.org", "<http://x.y>"),
    *(
        "\u202etxt.exe",
        "a\u2028b",
        "\x00\x1b[31m",
        "\ud800",
        "",
        " ",
        "{{ a }}",
        "复核",
        'it\'s "so"',
    ),
    *("x" * 5_000, "|" * 300),
)
"""Names that would break out of their place."""

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def texts_of(markdown: str, kind: str, *also: str) -> list[str]:
    """What stands in each heading or cell, as plain text; anything but text, or `also`, fails."""
    tokens = PARSER.parse(markdown)
    found = []
    for token, content in pairwise(tokens):
        if token.type == kind:
            inside = content.children if content.type == "inline" else tokens[0:0]
            assert all(child.type in ("text", "text_special", *also) for child in inside), (
                content.content
            )
            found.append("".join(child.content for child in inside))
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_where_it_stands(name):
    plain, short = visible(name), visible(name)
    if len(short) > LONGEST:
        short = f"{short[: LONGEST - 1]}…"
    tokens = PARSER.parse(f"# {inline(name)}\n\nafter\n")
    assert [token.type for token in tokens] == [
        *("heading_open", "inline", "heading_close", "paragraph_open", "inline", "paragraph_close")
    ]
    assert texts_of(f"# {inline(name)}\n", "heading_open") == [plain]
    rows = table(("name", "other", "n"), [[cell(name), cell(name), "1"]] * 2, words=2)
    assert texts_of(rows, "td_open") == [short, short, "1"] * 2
    assert texts_of(rows, "th_open") == ["name", "other", "n"]
    listed = PARSER.parse(bullets([inline(name), f"{inline(name)}: 1"]))
    kinds = [token.type for token in listed]
    assert kinds.count("list_item_open") == kinds.count("inline") == 2
    assert {*kinds} == {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("paragraph_open", "paragraph_close", "inline"),
    }
    assert [token.content for token in listed if token.type == "inline"][1].endswith(": 1")


@given(
    st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("|`*_[]()<>#-+.!~&\\\n 1:/"))
)
def test_any_text_reads_as_itself(name):
    plain = visible(name)
    assert texts_of(f"# {inline(name)}\n", "heading_open") == [plain]
    assert texts_of(table(("a",), [[cell(name)]]), "td_open") == [
        plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
    ]


def test_plain_names_are_written_as_they_are():
    for name in ("web", "positive/movie", "snake_case", "a-b", "CC-BY-4.0", "it's", "data/x.jsonl"):
        assert inline(name) == cell(name) == name
    assert visible(" a \n b\u202e ") == "a b"
    assert visible("\u200b") == NOTHING
    assert visible("می\u200cخواهم") == "می\u200cخواهم"


# ── the hub's words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MIT", "mit"),
        ("Apache-2.0", "apache-2.0"),
        ("CC-BY-4.0", "cc-by-4.0"),
        ("CC-BY-NC-SA-3.0", "cc-by-nc-sa-3.0"),
        ("CC0-1.0", "cc0-1.0"),
        ("ODC-By-1.0", "odc-by"),
        ("ODbL-1.0", "odbl"),
        ("PDDL-1.0", "pddl"),
        ("C-UDA-1.0", "c-uda"),
        ("CDLA-Permissive-2.0", "cdla-permissive-2.0"),
        ("GPL-3.0-only", "gpl-3.0"),
        ("GPL-2.0-or-later", "gpl-2.0"),
        ("LGPL-2.1+", "lgpl-2.1"),
        ("AGPL-3.0-only", "agpl-3.0"),
        ("GFDL-1.3-no-invariants-or-later", "gfdl"),
        ("LGPLLR", "lgpl-lr"),
        (" mit ", "mit"),
        ("0BSD", None),
        ("CC-BY-1.0", None),
        ("unknown", None),
        ("other", None),
        ("MIT OR Apache-2.0", None),
        ("all rights reserved", None),
    ],
)
def test_licences_have_the_hubs_names(name, expected):
    assert hub_license(name) == expected
    assert expected is None or expected in HUB


def test_what_the_hub_does_not_list_is_other_with_a_name():
    assert hub_licenses(["ODC-By-1.0"]) == {"license": "odc-by"}
    assert hub_licenses(["GPL-3.0-only", "GPL-3.0-or-later"]) == {"license": "gpl-3.0"}
    assert hub_licenses(["0bsd"]) == {
        "license": "other",
        "license_name": "0bsd",
        "license_link": "https://spdx.org/licenses/0BSD.html",
    }
    assert hub_licenses(["unknown"]) == hub_licenses([])
    assert hub_licenses([]) == {"license": "other", "license_name": "unknown"}
    joined = {"license": "other", "license_name": "cc-by-4.0-and-mit"}
    assert hub_licenses(["MIT", "CC-BY-4.0", "MIT"]) == joined
    many = hub_licenses(["MIT", "CC-BY-4.0", "0BSD", "ISC"])
    assert many == {"license": "other", "license_name": "several"}
    assert hub_licenses(["复核"])["license_name"] == "unknown"
    for name in HOSTILE:
        assert re.fullmatch(r"[a-z0-9.-]+", hub_licenses([name])["license_name"])
    assert spdx_link("gpl-2.0+") == "https://spdx.org/licenses/GPL-2.0.html"
    assert spdx_link("MIT OR ISC") is spdx_link("LicenseRef-mine") is spdx_link("") is None


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *(("zh-Hans", "zh"), ("en-US", "en"), ("EN", "en"), ("pt_BR", "pt"), ("no", "no")),
        *(("cmn", "cmn"), ("yue-HK", "yue"), ("iw", "he"), ("in", "id"), (" fr ", "fr")),
        *(("und", None), ("mul", None), ("zxx", None), ("qaa", None), ("qtz", None), ("", None)),
        *(("xx", None), ("english", None), ("x-klingon", None), ("1", None), ("e", None)),
        *(("é", None), ("en\n", "en"), ("a b", None)),
    ],
)
def test_languages_are_codes_of_iso_639(tag, code):
    assert iso_639(tag) == code


def test_languages_stand_once():
    assert iso_codes(["zh-Hant", "en", "zh-Hans", "und", ""]) == ["en", "zh"]


@pytest.mark.parametrize(
    ("documents", "category"),
    [
        *((0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (9_999, "1K<n<10K")),
        *((10_000, "10K<n<100K"), (999_999, "100K<n<1M"), (10**6, "1M<n<10M")),
        *((10**9, "1B<n<10B"), (10**12 - 1, "100B<n<1T"), (10**12, "n>1T")),
    ],
)
def test_sizes_are_the_hubs_classes(documents, category):
    assert size_category(documents) == category


SCHEMA = pa.schema(
    [
        *(("id", pa.string()), ("text", pa.string()), ("copy", pa.int64())),
        *(("quality", pa.float64()), ("edited", pa.bool_())),
        ("labels", pa.struct([("a\n---\nb", pa.struct([("value", pa.string())]))])),
        ("media", pa.list_(pa.struct([("address", pa.string())]))),
    ]
)


def entry(path, sha256="0" * 64):
    return {"path": path, "documents": 3, "tokens": 7, "sha256": sha256}


def manifest(*paths, layout="mixed", validation=()):
    own = {"files": [entry(path) for path in validation], "documents": 3, "tokens": 7}
    files = [entry(path) for path in paths]
    return {"layout": layout, "about": "About.", "files": files} | (
        {"validation": own} if validation else {}
    )


def test_configs_are_splits_or_groups():
    plain = manifest("data-00000.jsonl", "data-00001.jsonl")
    files = [{"split": "train", "path": "data-*.jsonl"}]
    assert list(configs(plain)) == [{"config_name": "default", "data_files": files}]
    held = manifest("data-00000.jsonl.zst", validation=["validation-00000.jsonl.zst"])
    assert next(configs(held))["data_files"] == [
        {"split": "train", "path": "data-*.jsonl.zst"},
        {"split": "validation", "path": "validation-*.jsonl.zst"},
    ]
    grouped = manifest(
        *(
            "a/00-web/data-00000.parquet",
            "a/00-web/data-00001.parquet",
            "a/01-b/data-00000.parquet",
        ),
        layout="by_group",
        validation=["validation-00000.parquet"],
    )
    assert list(configs(grouped)) == [
        {
            "config_name": name,
            "data_files": [{"split": split, "path": path}],
        }
        for name, split, path in (
            ("a-00-web", "train", "a/00-web/data-*.parquet"),
            ("a-01-b", "train", "a/01-b/data-*.parquet"),
            ("validation", "validation", "validation-*.parquet"),
        )
    ]
    assert list(configs(manifest("tokens-00000.npy"))) == []
    assert pattern("data-00000-v1.5.jsonl.gz") == "data-*.jsonl.gz"


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\ud800" not in name])
def test_front_matter_is_one_yaml_value(name):
    grouped = manifest("00-a/data-00000.jsonl", "01-b/data-00000.jsonl", layout="by_group")
    for told in (manifest("data-00000.jsonl"), grouped):
        text = front_matter(name, told, [name, "MIT"], [name, "en"], SCHEMA)
        (matter,) = re.findall(r"\A---\n(.*?\n)---\n\Z", text, re.DOTALL)
        assert not re.search(r"^---", matter, re.MULTILINE)
        value = yaml.safe_load(matter)
        assert value["pretty_name"] == visible(name)
        assert value["license"] == "other"
        assert value["language"] == ["en"]
        infos = value["dataset_info"]
        for info in infos if isinstance(infos, list) else [infos]:
            (*_, labels, _) = info["features"]
            assert labels["struct"][0]["name"] == "a\n---\nb"
        assert "&id" not in matter


# ── the mixture


def test_promises_and_estimates_have_their_intervals():
    group = {
        **{"group": "a|b", "phase": None, "wanted": 0.25, "promised": 0.3, "realised": 0.31},
        **{"promised_low": 0.28, "promised_high": 0.33, "expected": 0.29, "estimated": 0.27},
        **{"estimated_low": 0.2, "estimated_high": 0.34, "earlier": 0, "tokens": 1234},
        **{"documents": 5, "epochs": 1.5},
    }
    plain = dict.fromkeys(("promised_low", "promised_high", "expected", "estimated"))
    plain |= dict.fromkeys(("estimated_low", "estimated_high"))
    other = {**group, **plain, "group": "c"}
    told = {"groups": [group, other], "tokenizer": "bytes"}
    words = "".join(mixture(told, [], []))
    assert texts_of(words, "td_open") == [
        *("a|b", "25.00%", "30.00% (28.00% to 33.00%)", "31.00%", "29.00%"),
        *("27.00% (20.00% to 34.00%)", "1,234", "5", "1.50"),
        *("c", "25.00%", "30.00%", "31.00%", "", "", "1,234", "5", "1.50"),
    ]
    assert "90 % intervals" in words
    alone = "".join(mixture({**told, "groups": [other]}, [], []))
    assert "estimated" not in alone
    assert "intervals" not in alone


# ── Croissant


def written(folder, path, rows):
    """Write a shard of lines in the format of its ending; return its entry."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if path.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), place)
    elif path.endswith(".gz"):
        place.write_bytes(gzip.compress(lines))
    elif path.endswith(".zst"):
        place.write_bytes(pa.compress(lines, codec="zstd", asbytes=True))
    else:
        place.write_bytes(lines)
    return entry(path, storage.sha256_of(place))


def opened(path):
    """Return what mlcroissant makes of a description; it raises where that is not valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        return mlcroissant.Dataset(jsonld=str(path))


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # mlcroissant reads Parquet so
@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"])
@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_croissant_is_valid_and_reads_the_lines(tmp_path, layout, ending):
    paths = {
        "mixed": {f"data-0000{n}.{ending}": "train" for n in range(2)},
        "by_group": {f"0{n}-web/data-00000.{ending}": f"0{n}-web" for n in range(2)},
    }[layout] | {f"validation-00000.{ending}": "validation"}
    lines, files = {}, []
    for n, (path, name) in enumerate(paths.items()):
        label = {"a\n---\nb": {"value": "x"}}
        rows = [
            {"id": f"a{n}{m}", "text": f"文 {n} {m}", "copy": m, "quality": m / 4, "edited": m == 1}
            | {"labels": label if m else None, "media": None}
            for m in range(3)
        ]
        lines.setdefault(name, []).extend(rows)
        files.append(written(tmp_path, path, rows))
    told = {"layout": layout, "about": "It is.", "files": files[:-1]}
    told["validation"] = {"files": files[-1:]}
    value = croissant("a | <b>\n", told, ["MIT", 'x"\n'], ["zh-Hans", "und"], SCHEMA)
    storage.write_json(tmp_path / "croissant.json", value)
    data = opened(tmp_path / "croissant.json")
    assert data.metadata.name == "a | <b>"
    assert data.metadata.description == "It is."
    assert value["license"] == ["https://spdx.org/licenses/MIT.html", 'x"']
    assert value["inLanguage"] == ["zh"]
    objects = [own for own in value["distribution"] if own["@type"] == "cr:FileObject"]
    assert [own["contentUrl"] for own in objects] == [*paths]
    assert [own["sha256"] for own in objects] == [file["sha256"] for file in files]
    assert [records.uuid for records in data.metadata.record_sets] == [
        *dict.fromkeys(paths.values())
    ]
    if ending.endswith("zst"):
        return  # described, and mlcroissant cannot unpack it
    for name, expected in lines.items():
        plain = SCHEMA.names[:-2]
        for read, row in zip(data.records(name), expected, strict=True):
            assert {key: decoded(read[f"{name}/{key}"]) for key in plain} == {
                key: row[key] for key in plain
            }
            (part,) = read[f"{name}/labels"].values()
            assert decoded(part) == ("x" if row["labels"] else None)
            assert len(read) == len(plain) + 1


def decoded(value):
    """A value as a line has it: mlcroissant gives texts as bytes."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # mlcroissant reads Parquet so
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_parts_of_labels_are_read_whatever_a_question_is_called(tmp_path, ending):
    names = [name for name in HOSTILE if "\ud800" not in name and "\x00" not in name][:40]
    label = pa.struct(
        [
            *(("value", pa.list_(pa.string())), ("share", pa.float64()), ("undecided", pa.bool_())),
            ("posterior", pa.struct([("x", pa.float64())])),
            ("spans", pa.list_(pa.struct([("start", pa.int64())]))),
        ]
    )
    labels = pa.struct([(name, label) for name in names])
    schema = pa.schema([("id", pa.string()), ("labels", labels)])
    value = {"value": ["p", "q"], "share": 0.5, "undecided": False}
    value |= {"posterior": {"x": 1.0}, "spans": [{"start": 1}]}
    rows = [{"id": f"a{n}", "labels": dict.fromkeys(names[n:], value)} for n in range(3)]
    table = pa.Table.from_pylist(rows, schema)
    path = tmp_path / f"data-00000.{ending}"
    if ending == "parquet":
        pq.write_table(table, path)
    else:
        lines = (json.dumps(row) + "\n" for row in table.to_pylist())
        path.write_text("".join(lines), encoding="utf-8")
    told = manifest(path.name)
    storage.write_json(tmp_path / "croissant.json", croissant("a", told, [], [], schema))
    read = list(opened(tmp_path / "croissant.json").records("train"))
    for n, row in enumerate(read):
        parts = [decoded(part) for part in row["train/labels"].values()]
        assert len(parts) == 3 * len(names)
        found = [parts[at : at + 3] for at in range(0, len(parts), 3)]
        assert found == [[None] * 3] * n + [[["p", "q"], 0.5, False]] * (len(names) - n)


@pytest.mark.parametrize("path", ["tokens-00000.npy", "data-00000.arrow"])
def test_files_that_no_reader_knows_are_listed_alone(tmp_path, path):
    value = croissant("a", manifest(path), [], [], SCHEMA)
    (own,) = value["distribution"]
    assert own["encodingFormat"] == "application/octet-stream"
    assert value["recordSet"] == []
    storage.write_json(tmp_path / "croissant.json", value)
    opened(tmp_path / "croissant.json")


def test_the_context_is_the_standards():
    from mlcroissant._src.core.rdf import make_context

    assert make_context() == CONTEXT


# ── the environment


def test_lines_of_packages_are_sorted_as_lines():
    """A hyphen comes before the equals sign."""
    text = environment("3.11.9", {"lxml": "6.1", "lxml-html": "0.4", "Abc": "1"}, {})
    assert text.splitlines()[-3:] == ["Abc==1", "lxml-html==0.4", "lxml==6.1"]


def test_the_environment_is_read_by_pip():
    digests = {"encoder a\nevil==1": {"x\ny": "00"}, "tokenizer bytes": {}}
    text = environment("3.11.9", {"torch": "2.13.0+cpu", "NumPy": "2.2.6"}, digests)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == ["NumPy==2.2.6", "torch==2.13.0"]
    assert [Requirement(line).name for line in lines] == ["NumPy", "torch"]
    assert "# encoder a evil==1\n#   sha256:00  x y\n# tokenizer bytes: no file" in text
