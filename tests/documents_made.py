"""Documents of an office made by hand for tests: PDF, DOCX and EPUB, as small as they can be."""

import io
import zipfile


def pdf(pages, *, title=None, encrypted=False):
    """Return a PDF. A page is a list of (x, y, text), drawn in that order.

    A size and a turn, as the first four numbers of a matrix, may follow.
    """
    objects = {}
    kids = [4 + 2 * n for n in range(len(pages))]
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = f"<< /Type /Pages /Kids [{' '.join(f'{n} 0 R' for n in kids)}] /Count {len(kids)} >>"
    objects[2] = tree.encode()
    objects[3] = (
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    )
    for number, page in zip(kids, pages, strict=True):
        about = "/MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R {about} /Contents {number + 1} 0 R >>".encode()
        )
        drawn = b"".join(_drawn(*words) for words in page)
        objects[number + 1] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn)
    more = b""
    if title is not None:
        objects[max(objects) + 1] = b"<< /Title (%s) >>" % title.encode("cp1252")
        more += b" /Info %d 0 R" % max(objects)
    if encrypted:
        key = b"/Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s>" % (b"11" * 32, b"22" * 32)
        objects[max(objects) + 1] = b"<< %s >>" % key
        more += b" /Encrypt %d 0 R /ID [<00> <00>]" % max(objects)
    return _file(objects, more)


def vertical_pdf(columns):
    """Return a PDF of columns of Chinese, (x, text), each written downwards from one height."""
    drawn = b"".join(
        b"BT /F1 20 Tf %d 700 Td <%s> Tj ET\n" % (x, text.encode("utf-16-be").hex().encode())
        for x, text in columns
    )
    kind = b"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >>"
    box = b"/FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /StemV 93"
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        4: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        5: b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-V "
        b"/DescendantFonts [6 0 R] >>",
        6: b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light %s "
        b"/FontDescriptor 7 0 R >>" % kind,
        7: b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 %s >>" % box,
    }
    return _file(objects, b"")


def _drawn(x, y, text, size=12, turn="1 0 0 1"):
    shown = (
        text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    )
    return b"BT /F1 %d Tf %s %d %d Tm (%s) Tj ET\n" % (size, turn.encode(), x, y, shown)


def _file(objects, more):
    data = b"%PDF-1.4\n"
    places = {}
    for number in sorted(objects):
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(data)
    size = max(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n" % size
    data += b"".join(b"%010d 00000 n \n" % places[number] for number in range(1, size))
    return data + b"trailer << /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (
        *(size, more),
        start,
    )


def epub(chapters, *, title="A book", language="en", encrypted=()):
    """Return an EPUB; a chapter is (file name, XHTML body), in the order of reading."""
    names = [name for name, _ in chapters]
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(sorted(names))
    )
    order = "".join(f'<itemref idref="c{sorted(names).index(name)}"/>' for name in names)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:title>{title}</dc:title><dc:language>{language}</dc:language>"
        "<dc:creator>Ann Lee</dc:creator></metadata>"
        f"<manifest>{items}</manifest><spine>{order}</spine></package>"
    )
    names_of = 'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"'
    root = '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles>'
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": f"<container {names_of}>{root}</container>",
        "OPS/book.opf": package,
    }
    for name, body in chapters:
        page = (
            f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>{body}</html>'
        )
        files[f"OPS/{name}"] = page
    if encrypted:
        hidden = "".join(
            f'<EncryptedData><CipherData><CipherReference URI="OPS/{name}"/></CipherData>'
            "</EncryptedData>"
            for name in encrypted
        )
        files["META-INF/encryption.xml"] = f"<encryption>{hidden}</encryption>"
    return zipped(files)


def zipped(files):
    """Return a ZIP archive of files by name."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()
