"""What a DOCX shows beside plain paragraphs: wrappers, notes, text boxes, ruby, merged cells."""

import pytest

from tests.documents_made import zipped
from tests.test_sources import everything, put, rows, texts

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATED = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
NAMES = (
    f'xmlns:w="{WORD}" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)


def document(body, **notes):
    """A DOCX of a body, with stored notes by their kind: identifier → text."""
    files = {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{TYPE}.footnotes+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{TYPE}.document.main+xml"/></Types>',
        "_rels/.rels": relationships({"officeDocument": "word/document.xml"}),
        "word/document.xml": f"<w:document {NAMES}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relationships(
            {f"{kind}s": f"{kind}s.xml" for kind in notes}
        ),
    }
    for kind, texts_of in notes.items():
        stored = "".join(
            f'<w:{kind} w:id="{identifier}">{paragraph(words)}</w:{kind}>'
            for identifier, words in texts_of.items()
        )
        files[f"word/{kind}s.xml"] = f'<w:{kind}s xmlns:w="{WORD}">{stored}</w:{kind}s>'
    return zipped(files)


def relationships(targets):
    own = "".join(
        f'<Relationship Id="r{place}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(targets.items())
    )
    return f'<Relationships xmlns="{RELATED}">{own}</Relationships>'


def run(words):
    return f"<w:r><w:t>{words}</w:t></w:r>"


def paragraph(words):
    return f"<w:p>{run(words)}</w:p>"


def cell(inside, more=""):
    return f"<w:tc><w:tcPr>{more}</w:tcPr>{inside}</w:tc>"


def text_of(tmp_path, body, **notes):
    put(tmp_path, "data/a.docx", document(body, **notes))
    return texts(rows(tmp_path))[0]


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (
            f"{run('a')}<w:ins>{run('b')}</w:ins><w:del><w:r><w:delText>c</w:delText></w:r></w:del>",
            "ab",
        ),
        (f"<w:moveFrom>{run('a')}</w:moveFrom>{run('b')}<w:moveTo>{run('c')}</w:moveTo>", "bc"),
        (
            f"{run('a')}<w:smartTag>{run('b')}</w:smartTag><w:fldSimple>{run('7')}</w:fldSimple>",
            "ab7",
        ),
        (f"<w:sdt><w:sdtPr/><w:sdtContent>{run('named')}</w:sdtContent></w:sdt>", "named"),
        (
            f"{run('a')}<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>"
            f"{run('Click here')}</w:sdtContent></w:sdt>",
            "a",
        ),
        (f"{run('if')}<m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath>{run('then')}", "ifx=1then"),
        (
            f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('かん')}</w:rt><w:rubyBase>{run('漢')}"
            f"</w:rubyBase></w:ruby></w:r>{run('字')}",
            "漢字",
        ),
        (
            '<w:pPr><w:tabs><w:tab w:pos="9"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/>'
            "<w:t>b</w:t>"
            '<w:br/><w:t>c</w:t><w:br w:type="page"/><w:noBreakHyphen/></w:r>',
            "a\tb\nc-",
        ),
    ],
    ids=["tracked", "moved", "fields", "control", "placeholder", "formula", "ruby", "signs"],
)
def test_text_within_wrappers_is_read(tmp_path, inside, text):
    assert text_of(tmp_path, f"<w:p>{inside}</w:p>{paragraph('End.')}") == f"{text}\n\nEnd."


def test_blocks_and_rows_within_controls_are_read(tmp_path):
    row = f"<w:tr>{cell(paragraph('in a row'))}</w:tr>"
    control = "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>"
    body = control.format(paragraph("Contents")) + f"<w:tbl>{control.format(row)}</w:tbl>"
    assert text_of(tmp_path, body) == "Contents\n\nin a row"


def test_a_text_box_follows_its_paragraph_once(tmp_path):
    box = f"<w:txbxContent>{paragraph('In the box.')}</w:txbxContent>"
    drawn = f'<mc:Choice Requires="wps"><w:drawing>{box}</w:drawing></mc:Choice>'
    older = f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
    both = f"<mc:AlternateContent>{drawn}{older}</mc:AlternateContent>"
    body = f"<w:p>{run('Around ')}<w:r>{both}</w:r>{run('it.')}</w:p>{paragraph('End.')}"
    assert text_of(tmp_path, body) == "Around it.\n\nIn the box.\n\nEnd."


def test_notes_stand_at_the_end_with_their_numbers(tmp_path):
    def refer(kind, identifier):
        return f'<w:r><w:{kind}Reference w:id="{identifier}"/></w:r>'

    body = f"<w:p>{run('One')}{refer('endnote', 2)}{run(' two')}{refer('footnote', 7)}.</w:p>"
    body += (
        f"<w:p>{run('Again')}{refer('endnote', 2)}{run(' and gone')}{refer('footnote', 9)}</w:p>"
    )
    stored = {"footnote": {-1: "no", 7: "Below."}, "endnote": {2: "Far behind."}}
    assert text_of(tmp_path, body, **stored).split("\n\n") == [
        *("One[1] two[2]", "Again[1] and gone[3]", "[1] Far behind.", "[2] Below.")
    ]


def test_a_cell_that_spans_rows_stands_in_each_however_many_there_are(tmp_path):
    start, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    wide = '<w:gridSpan w:val="2"/>'
    first = f"<w:tr>{cell(paragraph('wide'), wide)}{cell(paragraph('tall'), start)}</w:tr>"
    others = "".join(
        f"<w:tr>{cell(paragraph(n))}{cell(paragraph('b'))}{cell(paragraph(''), on)}</w:tr>"
        for n in range(2000)
    )
    lines = text_of(tmp_path, f"<w:tbl>{first}{others}</w:tbl>").split("\n")
    assert lines == ["wide\ttall", *(f"{n}\tb\ttall" for n in range(2000))]


def test_a_file_without_any_text_is_told(tmp_path):
    put(tmp_path, "data/a.docx", document(f"<w:p><w:del>{run('gone')}</w:del></w:p>"))
    found, (bad,) = everything(tmp_path, strict=False)
    assert not found
    assert bad.reason == "it holds no text"
