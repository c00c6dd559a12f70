"""Documents of an office: PDF in reading order, DOCX, EPUB, and what cannot be read of them."""

import io
import random
import zipfile
from time import process_time

import pytest

from curate.sources.readers.layout import Piece, text_of
from tests.documents_made import epub, pdf, vertical_pdf, zipped
from tests.test_sources import everything, meta, put, rows, texts

docx = pytest.importorskip("docx")

TITLE = (60, 720, "A long title that stands over both columns of this page", 16)
LEFT = [f"Left line {n} speaks of red boats" for n in range(5)]
RIGHT = [f"Right line {n} speaks of old piers" for n in range(5)]
COLUMNS = [
    [(60, 660 - 16 * n, words) for n, words in enumerate(LEFT)],
    [(330, 660 - 16 * n, words) for n, words in enumerate(RIGHT)],
]
FOOT = (60, 80, "A last line that goes over the whole page, from its left to its right.")
TWO_COLUMNS = "\n\n".join([TITLE[2], "\n".join(LEFT), "\n".join(RIGHT), FOOT[2]])


@pytest.mark.parametrize("order", range(6))
def test_columns_are_read_one_after_the_other_however_they_are_drawn(tmp_path, order):
    left, right = COLUMNS
    drawn = {
        0: [TITLE, *left, *right, FOOT],
        1: [FOOT, *right, *left, TITLE],
        2: [TITLE, *(line for both in zip(left, right, strict=True) for line in both), FOOT],
    }.get(order, [TITLE, *left, *right, FOOT])
    if order > 2:
        random.Random(order).shuffle(drawn)
    put(tmp_path, "data/a.pdf", pdf([drawn]))
    assert texts(rows(tmp_path)) == [TWO_COLUMNS]


def test_a_page_is_a_document_with_its_number(tmp_path):
    first = [(60, 640, "Second words."), (60, 700, "First words."), (60, 680, "It goes on.")]
    table = [
        (60 + 90 * column, 700 - 16 * row, f"{word}{row}")
        for row in range(4)
        for column, word in enumerate(("boat", "sea", "pier"))
    ]
    put(tmp_path, "data/a.pdf", pdf([first, [], table], title="Of boats"))
    found, (bad,) = everything(tmp_path)
    assert texts(found) == [
        "First words.\nIt goes on.\n\nSecond words.",
        "\n".join(f"boat{n} sea{n} pier{n}" for n in range(4)),
    ]
    assert [meta(row) for row in found] == [
        {"path": "a.pdf", "title": "Of boats", "pages": 3, "page": page} for page in (1, 3)
    ]
    assert [row.origin for row in found] == ["data/a.pdf:1", "data/a.pdf:3"]
    assert (bad.row, bad.reason, bad.skipped) == (2, "a page without text", True)


def test_the_pages_of_a_file_may_be_one_document(tmp_path):
    pages = [[(60, 700, "One.")], [], [(60, 700, "Three (3).")]]
    put(tmp_path, "data/a.pdf", pdf(pages))
    found, (bad,) = everything(tmp_path, pages="joined")
    assert texts(found) == ["One.\n\nThree (3)."]
    starts = meta(found[0])["page_starts"]
    assert starts == [0, None, 6]
    assert texts(found)[0][starts[2] :] == "Three (3)."
    assert bad.reason == "a page without text"


@pytest.mark.parametrize(
    ("turn", "place"),
    {
        "0 1 -1 0": lambda n: (100 + 16 * n, 60),
        "0 -1 1 0": lambda n: (500 - 16 * n, 740),
        "-1 0 0 -1": lambda n: (560, 100 + 16 * n),
    }.items(),
)
def test_a_page_whose_text_is_turned_is_read_as_it_is_held(tmp_path, turn, place):
    lines = [(*place(n), words, 12, turn) for n, words in enumerate(LEFT)]
    put(tmp_path, "data/a.pdf", pdf([[*lines[::-1], (300, 20, "7")]]))
    assert texts(rows(tmp_path))[0].replace("7", "").strip() == "\n".join(LEFT)


def test_columns_that_are_written_downwards_go_from_right_to_left(tmp_path):
    columns = ["河水今天上涨了两米", "公路一直封闭到中午", "工程师说旧桥没有坏"]
    drawn = [(500 - 30 * n, words) for n, words in enumerate(columns)]
    put(tmp_path, "data/a.pdf", vertical_pdf(drawn[::-1]))
    assert texts(rows(tmp_path))[0].split() == columns


def test_hyphens_accents_and_a_few_words(tmp_path):
    lines = [(60, 700, "A hyphen-"), (60, 684, "ated word, café “so”")]
    put(tmp_path, "data/a.pdf", pdf([lines]))
    assert texts(rows(tmp_path)) == ["A hyphenated word, café “so”"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", pdf([[TITLE]], encrypted=True), "encrypted: it opens only with a password"),
        ("a.pdf", b"no PDF", "not a PDF that can be read"),
        ("a.pdf", pdf([[TITLE]])[:400], "not a PDF that can be read"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1", "encrypted, or a Word file of before 2007"),
        ("a.docx", b"PK nothing", "not a DOCX file"),
        ("a.docx", zipped({"a.txt": "x"}), "not a DOCX file"),
        ("a.docx", zipped({"big.xml": "x" * (40 << 20)}), "unpacks to more than max_bytes"),
        ("a.epub", zipped({"a.txt": "x"}), "not an EPUB file"),
        ("a.epub", epub([("a.xhtml", "<body><p> </p></body>")]), "it holds no text"),
        ("a.epub", epub([("a.xhtml", "<body>a</body>")], encrypted=["a.xhtml"]), "encrypted"),
        ("a.epub", epub([("a.xhtml", "<p>" + "x" * (40 << 20))]), "unpacks to more than max_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_told_by_name_and_costs_itself(tmp_path, name, data, reason):
    put(tmp_path, f"data/{name}", data)
    put(tmp_path, "data/fine.txt", "Fine.")
    found, (bad,) = everything(tmp_path, strict=False)
    assert texts(found) == ["Fine."]
    assert bad.file == f"data/{name}"
    assert bad.reason.startswith(reason)


def test_docx_has_its_paragraphs_and_tables_in_order(tmp_path):
    file = docx.Document()
    file.core_properties.title = "Of boats"
    file.core_properties.author = "Ann Lee"
    file.add_heading("Boats", 1)
    file.add_paragraph("They are ").add_run("red.").bold = True
    table = file.add_table(2, 2)
    for place, words in enumerate(("name", "sails", "Ann", "3\nor 4")):
        table.cell(place // 2, place % 2).text = words
    wide = file.add_table(1, 3)
    wide.cell(0, 0).merge(wide.cell(0, 2)).text = "one cell"
    file.add_paragraph("")
    file.add_paragraph("The end.")
    sink = io.BytesIO()
    file.save(sink)
    put(tmp_path, "data/a.docx", sink.getvalue())
    (row,) = rows(tmp_path)
    assert texts([row])[0].split("\n\n") == [
        *("Boats", "They are red.", "name\tsails\nAnn\t3 or 4", "one cell", "The end.")
    ]
    assert meta(row) == {"path": "a.docx", "title": "Of boats", "author": "Ann Lee"}


def test_a_book_has_its_chapters_in_the_order_of_reading(tmp_path):
    first = """<body><h1>One</h1><p>The <i>red</i>
      boat.<br/>It sails.</p><script>no()</script><!-- no --> Tail.</body>"""
    second = "<body><div><p>Two &amp; more.</p><ul><li>a</li><li>b</li></ul></div></body>"
    chapters = [("z%20one.xhtml".replace("%20", "_"), first), ("a.xhtml", second)]
    put(tmp_path, "data/a.epub", epub(chapters, title="Of boats", language="de"))
    (row,) = rows(tmp_path, language={"field": "language"})
    assert texts([row])[0].split("\n\n") == [
        *("One", "The red boat.", "It sails.", "Tail.", "Two & more.", "a", "b")
    ]
    assert row.language == "de"
    assert meta(row) == {
        "title": "Of boats",
        "author": "Ann Lee",
        "chapters": 2,
        "path": "a.epub",
    }


def test_a_chapter_that_is_missing_costs_itself(tmp_path):
    chapters = [(f"{name}.xhtml", f"<body><p>Chapter {name}.</p></body>") for name in "abc"]
    book = epub(chapters)
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if "b.xhtml" not in name}
    put(tmp_path, "data/a.epub", zipped(files))
    found, (bad,) = everything(tmp_path, strict=False)
    assert texts(found) == ["Chapter a.\n\nChapter c."]
    assert meta(found[0])["chapters"] == 2
    assert bad.reason.startswith("a chapter cannot be read")
    assert "OPS/b.xhtml" in bad.reason


def test_a_book_without_a_package_is_told(tmp_path):
    put(tmp_path, "data/a.epub", zipped({"META-INF/container.xml": "<container/>"}))
    found, (bad,) = everything(tmp_path, strict=False)
    assert not found
    assert bad.reason.startswith("not an EPUB file")


@pytest.mark.parametrize("mark", ["<?x y?>", "<!-- y -->"])
def test_marks_in_a_page_are_no_text_and_take_no_time(tmp_path, mark):
    body = f"<body><p>One{mark} boat</p>{mark * 100_000}<p>Two.</p></body>"
    put(tmp_path, "data/a.epub", epub([("a.xhtml", body)]))
    began = process_time()
    assert texts(rows(tmp_path)) == ["One boat\n\nTwo."]
    assert process_time() - began < 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1251"])
def test_a_chapter_is_read_in_the_encoding_that_it_declares(tmp_path, encoding):
    words = "Вечером все пьют чай." if encoding == "windows-1251" else "Le café fermé, à côté."
    head = f'<?xml version="1.0" encoding="{encoding}"?><html xmlns="http://www.w3.org/1999/xhtml">'
    page = f"{head}<body><p>{words}</p></body></html>".encode(encoding)
    with zipfile.ZipFile(io.BytesIO(epub([("a.xhtml", "<body/>")]))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    put(tmp_path, "data/a.epub", zipped(files | {"OPS/a.xhtml": page}))
    assert texts(rows(tmp_path)) == [words]


def test_a_page_that_cannot_be_loaded_costs_itself(tmp_path):
    whole = pdf([[(60, 700, f"Page {n}.")] for n in range(3)])
    put(
        tmp_path,
        "data/a.pdf",
        whole.replace(b"6 0 obj\n<< /Type /Page ", b"6 0 obj\n<< /Type /Odd "),
    )
    found, bad = everything(tmp_path, strict=False)
    assert texts(found) == ["Page 0.", "Page 2."]
    assert [(own.row, own.skipped) for own in bad] == [(2, False)]
    assert bad[0].reason.startswith("a page that cannot be read")


def piece(text, left, top, width=100):
    return Piece(text, left, top - 12, left + width, top, 12)


def test_three_columns_and_text_from_right_to_left():
    words = [[f"column {c} has line {n}" for n in range(3)] for c in range(3)]
    pieces = [piece(words[c][n], 200 * c, 700 - 14 * n) for n in range(3) for c in range(3)]
    assert text_of(pieces) == "\n\n".join("\n".join(column) for column in words)
    assert text_of([piece("שלום", 100, 700), piece("עולם", 0, 700)]) == "שלום עולם"
    assert text_of([piece("b", 100, 700), piece("a", 0, 701)]) == "a b"
    assert text_of([]) == ""


def test_a_page_of_many_pieces_is_laid_out():
    rng = random.Random(5)
    pieces = [piece(f"word {n}", rng.uniform(0, 500), rng.uniform(0, 700)) for n in range(5000)]
    words = text_of(pieces).replace("\n", " ").split("word ")[1:]
    assert sorted(map(int, words)) == list(range(5000))
