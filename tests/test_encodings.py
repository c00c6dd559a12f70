"""Encodings of files in the wild: what is read, what stays, and what is told of a guess."""

import json
from random import Random

import pytest

from curate.sources.readers.declaring import family
from curate.sources.readers.decoding import Decoder
from curate.sources.readers.guessing import LITTLE, Guess, find_encoding
from tests.test_sources import everything, meta, put, rows, texts

SAID = {
    "gb18030": "昨天晚上厨房里的水壶响了很久，可是没有人站起来看一看。",
    "big5": "昨天晚上廚房裡的水壺響了很久，可是沒有人站起來看一看。",
    "shift_jis": "昨夜、台所でやかんがずっと鳴っていたが、誰も立たなかった。",
    "euc_jp": "昨夜、台所でやかんがずっと鳴っていたが、誰も立たなかった。",
    "euc_kr": "어젯밤 부엌에서 주전자가 오래 울렸지만 아무도 일어나지 않았다.",
    "cp1251": "Вчера вечером на кухне долго пел чайник, но никто не встал.",
    "koi8_r": "Вчера вечером на кухне долго пел чайник, но никто не встал.",
    "cp1253": "Χθες το βράδυ ο βραστήρας σφύριζε για ώρα, αλλά κανείς δεν σηκώθηκε.",
    "cp1255": "אתמול בערב הקומקום במטבח שרק זמן רב, אבל אף אחד לא קם ממקומו.",
    "cp1256": "مساء أمس غنى الإبريق في المطبخ طويلا ولكن لم ينهض أحد من مكانه.",
    "cp874": "เมื่อคืนนี้กาน้ำในครัวส่งเสียงดังอยู่นาน แต่ไม่มีใครลุกขึ้นมาดู",
}
PLAIN = [
    json.dumps({"text": f"A plain row, number {n}, of ASCII and nothing else"}) for n in range(900)
]


def lines(saying, count):
    return [json.dumps({"text": f"{saying} {n}"}, ensure_ascii=False) for n in range(count)]


@pytest.mark.parametrize("encoding", SAID)
@pytest.mark.parametrize("place", ["first", "last", "between"])
def test_lines_after_any_number_of_ascii_rows(tmp_path, encoding, place):
    own = lines(SAID[encoding], 6)
    at = {"first": 0, "last": len(PLAIN), "between": 700}[place]
    data = "\n".join([*PLAIN[:at], *own, *PLAIN[at:]]).encode(encoding)
    put(tmp_path, "data/a.jsonl", data)
    found = texts(rows(tmp_path))
    assert [text for text in found if SAID[encoding] in text] == [
        f"{SAID[encoding]} {n}" for n in range(6)
    ]
    assert len(found) == len(PLAIN) + 6


@pytest.mark.parametrize("encoding", ["gb18030", "euc_kr", "cp1251"])
def test_a_file_that_is_cut_into_parts_has_one_encoding(tmp_path, encoding):
    own = lines(SAID[encoding], 300)
    own[150:150] = PLAIN
    put(tmp_path, "data/a.jsonl", "\n".join(own).encode(encoding))
    whole = texts(everything(tmp_path)[0])
    assert texts(everything(tmp_path, size=2000)[0]) == whole
    assert sum(SAID[encoding] in text for text in whole) == 300


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "cp1251"])
def test_a_row_that_is_utf8_stays_utf8(tmp_path, encoding):
    saying = SAID[encoding]
    own = [line.encode(encoding) for line in lines(saying, 40)]
    others = [line.encode() for line in lines("Der Tee war spät — 茶也晚了", 40)]
    mixed = own + others
    Random(1).shuffle(mixed)
    put(tmp_path, "data/a.jsonl", b"\n".join(mixed))
    found, bad = everything(tmp_path, strict=False)
    assert bad == []
    assert sum(saying in text for text in texts(found)) == 40
    assert sum("Der Tee war spät — 茶也晚了" in text for text in texts(found)) == 40
    assert {row.encoding for row in found} == {None, {"cp1251": "cp1251"}.get(encoding, encoding)}


def test_a_short_row_that_could_be_both_is_as_the_others(tmp_path):
    one = json.dumps({"text": "一"}, ensure_ascii=False)
    assert one.encode("gb18030").decode() != one  # its bytes are UTF-8 too, of another letter
    put(tmp_path, "data/a.jsonl", "\n".join([one, *lines(SAID["gb18030"], 9)]).encode("gb18030"))
    assert texts(rows(tmp_path))[0] == "一"
    put(
        tmp_path,
        "data/a.jsonl",
        one.encode() + b"\n" + "\n".join(lines("café", 3)).encode("cp1252"),
    )
    assert texts(rows(tmp_path))[0] == "一"


def test_accents_in_utf8_beside_one_row_of_latin_1(tmp_path):
    data = "\n".join(lines("Le thé", 30)).encode() + b'\n{"text": "Le caf\xe9"}\n'
    put(tmp_path, "data/a.jsonl", data)
    found, bad = everything(tmp_path, strict=False)
    assert texts(found)[:30] == [f"Le thé {n}" for n in range(30)]
    assert [*texts(found)[30:], *bad][0] in ("Le café", bad[0] if bad else "")


@pytest.mark.parametrize("bytes_before", [10_000, 80_000, 2_000_000])
@pytest.mark.parametrize("one_line", [True, False])
def test_the_first_accent_of_a_book_comes_late(tmp_path, bytes_before, one_line):
    line = "The kettle sang, and nobody in the kitchen said a word about it."
    book = (line + (" " if one_line else "\n")) * (bytes_before // len(line))
    put(tmp_path, "data/a.txt", f"{book}\nThe café was closed.".encode("latin-1"))
    page = f"<html><body><article><p>{book}</p><p>The café was closed.</p></article></body></html>"
    put(tmp_path, "data/b.html", page.encode("latin-1"))
    found = rows(tmp_path)
    assert all(text.rstrip().endswith("The café was closed.") for text in texts(found))
    assert [row.encoding for row in found] == ["cp1252", "cp1252"]
    assert [row.evidence for row in found] == [1, 1]


WORD = "计算茶的平均温度，忽略空值"
DECLARED = {
    "a.py": f"# -*- coding: gbk -*-\nx = 1  # {WORD}\n",
    "b.py": f"#!/usr/bin/python\n# vim: set fileencoding=gbk :\nx = 1  # {WORD}\n",
    "a.rb": f"# encoding: GBK\nx = 1 # {WORD}\n",
    "a.el": f";; -*- mode: lisp; coding: gbk-unix -*-\n;; {WORD}\n",
    "a.css": f'@charset "gbk";\n/* {WORD} */\n',
    "a.xml": f'<?xml version="1.0" encoding="GB2312"?>\n<a>{WORD}</a>\n',
    "a.c": f"int x;\n// {WORD}\n/* vim: set fenc=gbk: */\n",
    "a.tex": f"\\documentclass{{article}}\n\\usepackage[gbk]{{inputenc}}\n{WORD}\n",
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_declaration_is_heard(tmp_path, name):
    put(tmp_path, f"src/{name}", DECLARED[name].encode("gb18030"))
    (row,) = rows(tmp_path, paths=["src"], format="code")
    assert WORD in texts([row])[0]
    assert row.evidence is None


def test_a_declaration_that_is_wrong_is_not_believed(tmp_path):
    put(tmp_path, "src/a.py", f"# coding: utf-8\n# {WORD}\n".encode("gb18030"))
    put(tmp_path, "src/b.py", f"# coding: gbk\n# {WORD}\n".encode())
    put(tmp_path, "src/c.py", f"# coding: no-such-thing\n# {WORD}\n".encode("gb18030"))
    assert all(WORD in text for text in texts(rows(tmp_path, paths=["src"], format="code")))


@pytest.mark.parametrize(
    ("before", "heard"),
    [
        ("<!-- " + "x" * 9000 + " -->", True),
        ("<script>" + "var x;" * 3000 + "</script>", True),
        ('<!-- <meta charset="koi8-r"> -->', True),
        ('<script>"<meta charset=koi8-r>"</script>', True),
        ('<meta name="koi8-r"><META content="text/html; charset=koi8-r" http-equiv=x>', False),
    ],
)
def test_a_late_meta_is_heard_and_a_comment_is_none(before, heard):
    page = f"<html><head>{before}<meta charset='gbk'></head>{WORD}".encode("gb18030")
    assert (find_encoding(page).name == "gb18030") is heard


@pytest.mark.parametrize(
    ("label", "name"),
    [
        *(("GB2312", "gb18030"), ("x-sjis", "cp932"), ("windows-31j", "cp932"), ("UHC", "cp949")),
        *(
            ("utf8", "utf-8"),
            ("utf-16", "utf-8"),
            ("latin1", "cp1252"),
            ("iso-8859-2", "iso8859-2"),
        ),
        *(("tis-620", "cp874"), ("big5-hkscs", "big5")),
    ],
)
def test_labels_mean_what_they_mean_in_browsers(label, name):
    assert family(label)[0] == name


@pytest.mark.parametrize("label", ["rot13", "base64", "", "x" * 99, "utf-7", "\0"])
def test_what_is_no_encoding_is_none(label):
    assert family(label) == ()
    assert find_encoding(f"# coding: {label}\n# caf\xe9\n".encode("latin-1")).name == "cp1252"


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
@pytest.mark.parametrize(
    ("encoding", "saying"),
    [
        ("utf-16-le", "昨天晚上厨房里的水壶响了很久"),
        ("utf-16-be", "昨天晚上厨房里的水壶响了很久"),
        ("utf-32-le", "The kettle, 茶壶"),
        ("utf-32-be", "The kettle, 茶壶"),
        ("utf-16", "The kettle 🍵"),
    ],
)
def test_wide_encodings_with_and_without_a_mark(tmp_path, name, encoding, saying):
    line = json.dumps({"text": saying}, ensure_ascii=False) + "\n"
    data = {"a.txt": f"{saying}\nend\n", "a.csv": f'text,n\n"{saying}",1\n'}.get(name, line * 3)
    put(tmp_path, f"data/{name}", data.encode(encoding))
    assert texts(rows(tmp_path))[0].removesuffix("\nend\n") == saying


def test_a_broken_character_of_utf16_costs_its_row(tmp_path):
    good = [json.dumps({"text": f"The tea {n}"}) + "\n" for n in range(5)]
    data = "".join(good).encode("utf-16-le")
    broken = '{"text": "half \ud83c"}\n'.encode("utf-16-le", "surrogatepass")
    put(tmp_path, "data/a.jsonl", b"\xff\xfe" + data + broken + data + b"\x00")
    found, bad = everything(tmp_path, strict=False)
    assert texts(found) == [f"The tea {n}" for n in range(5)] * 2
    assert [each.row for each in bad] == [6, 12]
    assert bad[0].reason.startswith("not utf-16")


@pytest.mark.parametrize(
    ("encoding", "saying"), [("iso2022_jp", SAID["shift_jis"]), ("iso2022_kr", SAID["euc_kr"])]
)
def test_seven_bits_with_escapes(tmp_path, encoding, saying):
    put(tmp_path, "data/a.txt", f"From: tea\n{saying}\n".encode(encoding))
    (row,) = rows(tmp_path)
    assert saying in texts([row])[0]
    assert row.evidence is None


@pytest.mark.parametrize(
    ("encoding", "more"), [("cp932", "①㈱髙"), ("cp949", "똠방각하"), ("big5hkscs", "啲嘅")]
)
def test_the_wider_encoding_of_a_family(tmp_path, encoding, more):
    base = {"cp932": "shift_jis", "cp949": "euc_kr", "big5hkscs": "big5"}[encoding]
    put(tmp_path, "data/a.txt", f"{SAID[base] * 2}{more}".encode(encoding))
    (row,) = rows(tmp_path)
    assert texts([row]) == [f"{SAID[base] * 2}{more}"]


@pytest.mark.parametrize(
    ("encoding", "saying"),
    [
        ("cp1250", "Wczoraj wieczorem w kuchni długo śpiewał czajnik, lecz nikt się nie ruszył. "),
        (
            "cp1254",
            "Dün akşam mutfakta çaydanlık uzun süre öttü, ama kimse yerinden kalkmadı, işte. ",
        ),
        ("cp1252", "Hier soir la bouilloire a chanté longtemps, mais personne n’a bougé, là-bas. "),
        (
            "cp1252",
            "Gestern Abend sang der Kessel in der Küche, aber niemand stand auf, natürlich. ",
        ),
    ],
)
def test_latin_letters_are_told_apart_by_enough_of_them(encoding, saying):
    assert find_encoding((saying * 12).encode(encoding)).name == encoding


def test_marks_and_files_with_marks_put_together(tmp_path):
    row = json.dumps({"text": "The tea, 茶"}, ensure_ascii=False) + "\n"
    put(tmp_path, "data/a.jsonl", (row + row).encode("utf-8-sig") + row.encode("utf-8-sig"))
    found, bad = everything(tmp_path, strict=False)
    assert (len(found), bad) == (3, [])


def test_nothing_is_guessed_of_what_is_known():
    assert find_encoding("茶".encode()) == Guess("utf-8")
    assert find_encoding("茶".encode("utf-16")).evidence is None
    decoder = Decoder()
    decoder.decode("茶".encode())
    assert (decoder.encoding, decoder.evidence) == (None, None)
    long = (SAID["gb18030"] * 3).encode("gb18030")
    assert find_encoding(long).evidence >= LITTLE


def test_a_guess_from_few_bytes_is_told_with_an_example(offline):
    put(offline.root, "data/a.jsonl", '{"text": "Le café"}\n'.encode("latin-1"))
    put(offline.root, "data/b.jsonl", "\n".join(lines(SAID["cp1251"], 3)).encode("cp1251"))
    put(offline.root, "data/c.jsonl", '{"text": "Der späte Tee für"}\n'.encode("latin-1"))
    made = offline.run("pool", sources=[{"paths": ["data/*"]}], tokenizer="bytes")
    (told,) = [each for each in made.warnings if each.key == "pool.guessed_encoding"]
    assert told.figures == {"files": 2, "file": "data/a.jsonl", "encoding": "cp1252", "bytes": 1}
    assert "data/a.jsonl (cp1252, from 1 bytes" in told.words
    put(offline.root, "data/d.jsonl", '{"text": "Encore un thé"}\n'.encode("latin-1"))
    made = offline.run("pool", sources=[{"paths": ["data/*"]}], tokenizer="bytes")
    (told,) = [each for each in made.warnings if each.key == "pool.guessed_encoding"]
    assert told.figures["files"] == 3
    said = [{"paths": ["data/*"], "encoding": "latin-1"}]
    made = offline.run("pool", sources=said, tokenizer="bytes")
    assert [each for each in made.warnings if each.key == "pool.guessed_encoding"] == []


def test_rows_of_code_keep_their_path(tmp_path):
    put(tmp_path, "src/a.py", DECLARED["a.py"].encode("gb18030"))
    (row,) = rows(tmp_path, paths=["src"], format="code")
    assert meta(row)["path"] == "src/a.py"
