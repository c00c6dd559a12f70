"""Licences: lists, mappings, common names and addresses as SPDX; several pass only together."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.clean.instruments.licenses import allowed, spelt
from curate.sources.licensing import license_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (["ISC"], "ISC"),
        (["ISC", "Zlib", "isc"], "ISC AND Zlib"),
        (("ISC", None, ""), "ISC"),
        ([["ISC"], {"license": "zlib"}], "ISC AND Zlib"),
        (["MIT OR ISC", "Zlib"], "(MIT OR ISC) AND Zlib"),
        ({"key": "isc", "name": "Some Name", "spdx_id": "ISC"}, "ISC"),
        ({"spdx_id": "NOASSERTION", "name": "ISC License"}, "ISC"),
        ({"type": "ISC", "url": "https://example.org/licence"}, "ISC"),
        ({"url": "https://opensource.org/licenses/ISC"}, "ISC"),
        ({"name": "House rules"}, "House rules"),
        ("['ISC', 'Zlib']", "ISC AND Zlib"),
        ('["ISC"]', "ISC"),
        ('{"id": "isc"}', "ISC"),
        ("[house rules]", "[house rules]"),
        *((nothing, "unknown") for nothing in ([], {}, "", " ", None, NAN, [None], "NOASSERTION")),
        *((nothing, "unknown") for nothing in ("none", "N/A", "null", True, [{}], "[]")),
        (["ISC", "House rules"], "ISC AND House rules"),
    ],
)
def test_lists_and_mappings_are_read_as_what_they_are(value, wanted):
    assert license_of(value) == wanted


@pytest.mark.parametrize(
    ("spdx", "names"),
    {
        "Apache-2.0": (
            "apache-2.0",
            "Apache License 2.0",
            "The Apache License, Version 2.0",
            "Apache 2",
        ),
        "MIT": (
            *("mit", "MIT License", "The MIT License (MIT)", "Expat", "https://mit-license.org/"),
            *(
                "license:mit",
                "SPDX-License-Identifier: MIT",
                "opensource.org/licenses/mit-license.php",
            ),
        ),
        "BSD-3-Clause": ("New BSD License", 'BSD 3-Clause "New" or "Revised" License', "bsd-3"),
        "BSD-2-Clause": ("Simplified BSD License", "BSD 2-Clause"),
        "GPL-3.0-only": ("GPLv3", "GNU General Public License v3.0"),
        "GPL-2.0-or-later": ("GPLv2+", "GNU General Public License v2 or later (GPLv2+)"),
        "LGPL-2.1-only": ("LGPL 2.1", "GNU Lesser General Public License v2.1"),
        "AGPL-3.0-only": ("AGPLv3", "GNU Affero General Public License v3.0"),
        "MPL-2.0": ("Mozilla Public License 2.0", "https://www.mozilla.org/en-US/MPL/2.0/"),
        "CC-BY-4.0": (
            *("cc-by-4.0", "CC BY 4.0", "Creative Commons Attribution 4.0 International"),
            *("https://creativecommons.org/licenses/by/4.0/", "cc_by_4.0"),
            *("Attribution 4.0 International", "CC BY 4.0 International"),
            "Creative Commons Attribution 4.0 International (CC BY 4.0)",
            "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)",
            "[this licence](https://creativecommons.org/licenses/by/4.0/)",
            '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>',
        ),
        "CC-BY-NC-SA-3.0": (
            "Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported",
            "http://creativecommons.org/licenses/by-nc-sa/3.0/deed.en",
            "https://creativecommons.org/licenses/by-nc-sa/3.0/legalcode",
        ),
        "CC0-1.0": ("CC0", "cc-zero", "https://creativecommons.org/publicdomain/zero/1.0/"),
        "ODC-By-1.0": ("odc-by", "https://opendatacommons.org/licenses/by/1-0/"),
        "ODbL-1.0": ("odbl", "Open Database License v1.0"),
        "Unlicense": ("The Unlicense", "https://unlicense.org"),
        "EPL-2.0": ("Eclipse Public License 2.0", "https://www.eclipse.org/legal/epl-2.0/"),
        "OGL-UK-3.0": ("Open Government Licence v3.0", "OGL 3.0"),
        "etalab-2.0": ("Etalab 2.0", "Licence Ouverte 2.0"),
        "WTFPL": ("http://www.wtfpl.net/",),
        "MIT AND ISC": ("MIT, ISC", "MIT and ISC", "MIT/ISC"),
        "MIT OR ISC": ("mit or isc", "MIT OR ISC"),
    }.items(),
)
def test_common_names_and_addresses_are_spdx(spdx, names):
    assert {name: license_of(name) for name in names} == dict.fromkeys(names, spdx)


@pytest.mark.parametrize(
    "name",
    [
        *("CC-BY", "Apache", "BSD", "GPL", "other", "proprietary", "Public Domain", "llama3"),
        *("CC BY 4.0 NC", "https://example.org/licenses/by/4.0/", "MIT or something", "x" * 600),
        *("not creativecommons.org/licenses/by/4.0/", "GPL or so, and more"),
        *("[MIT](https://creativecommons.org/licenses/by/4.0/)", "Attribution please"),
    ],
)
def test_what_says_no_licence_for_certain_stays_as_it_is(name):
    assert license_of(name) == name


@pytest.mark.parametrize(
    ("value", "names", "passes"),
    [
        (["ISC", "MIT"], ["MIT", "ISC"], True),
        (["ISC", "GPL-3.0-only"], ["MIT", "ISC"], False),
        (["MIT OR GPL-3.0-only", "ISC"], ["MIT", "ISC"], True),
        (["MIT OR GPL-3.0-only", "AGPLv3"], ["MIT", "ISC"], False),
        ("https://creativecommons.org/licenses/by/3.0/", ["CC-BY-[0-9]*"], True),
        ("https://creativecommons.org/licenses/by-nc/3.0/", ["CC-BY-[0-9]*"], False),
        ("Apache License 2.0", ["apache license, version 2.0"], True),
        (["ISC", "House rules"], ["ISC"], False),
        ([], ["ISC"], False),
        ([], ["unknown"], True),
    ],
)
def test_all_of_several_licences_must_be_allowed(value, names, passes):
    assert allowed(license_of(value), spelt(names)) is passes


def test_licences_and_languages_through_the_stages(offline):
    path = offline.root / "data" / "a.parquet"
    path.parent.mkdir()
    rows = {
        "text": [f"A text about boats, number {n}." for n in range(5)],
        "lic": pa.array(
            [["isc"], ["isc", "gpl-3.0-only"], [], None, ["isc"]], pa.list_(pa.string())
        ),
        "lang": pa.array([["en"], ["en", "de"], [], None, ["en"]], pa.list_(pa.string())),
    }
    pq.write_table(pa.table(rows), path)
    source = {
        "paths": ["data/a.parquet"],
        "license": {"field": "lic"},
        "language": {"field": "lang"},
    }
    offline.run("pool", sources=[source], tokenizer="bytes")
    pool = offline.rows("pool")
    assert [row["license"] for row in pool] == [
        *("ISC", "ISC AND GPL-3.0-only", "unknown", "unknown", "ISC")
    ]
    assert [row["language"] for row in pool] == ["en", "mul", None, None, "en"]
    made = offline.run("clean", rules=[], licenses=["ISC License"], near_duplicates=None)
    assert [row["kept"] for row in offline.rows("clean")] == [True, False, False, False, True]
    assert made.licenses == {"unknown": 2, "ISC AND GPL-3.0-only": 1}


def test_numbers_that_json_has_no_word_for_never_enter_meta(offline):
    path = offline.lines("a.jsonl", ["A text."])
    line = '{"text": "A boat.", "n": NaN, "x": {"y": [Infinity, 1.5, "NaN"]}}\n'
    path.write_text(line, encoding="utf-8")
    offline.run("pool", sources=[{"paths": ["data/a.jsonl"]}], tokenizer="bytes")
    (row,) = offline.rows("pool")

    def refuse(word):
        raise AssertionError(word)

    meta = json.loads(row["meta"], parse_constant=refuse)
    assert meta == {"n": None, "x": {"y": [None, 1.5, "NaN"]}}
