"""Documents of other formats, made by the libraries that make them: text comes back, the rest is counted."""

from __future__ import annotations

import json
import mailbox
import sys
import tarfile
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest

from tests.corpus.reading import read
from workbench.corpus.formats.markdown import without_markup
from workbench.errors import CorpusError

PARAGRAPHS = [
    "The first paragraph, with <signs> & naïve letters.",
    "The second: “quoted”, and 3 × 4.",
    "第三段。",
]

PAGE = """<!DOCTYPE html><html><head><title>A title</title><style>p {{}}</style></head><body>
<nav><a href="/">Home</a></nav><header>The shop</header>
{}
<script>var x = 1;</script><footer>All rights reserved</footer></body></html>"""


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def page(*paragraphs: str, main: bool = False) -> str:
    inside = "\n".join(f"<p>{escaped(text)}</p>" for text in paragraphs)
    return PAGE.format(f"<div>ad</div><main>{inside}</main>" if main else inside)


@pytest.mark.parametrize("main", [False, True])
def test_the_main_text_of_html(tmp_path, main) -> None:
    (tmp_path / "a.html").write_text(page(*PARAGRAPHS, main=main), encoding="utf-8")
    found = read(tmp_path / "a.html")
    assert found.texts == PARAGRAPHS
    assert found.told("blank lines separate documents")
    assert main or found.told(
        "outside the text (menus, headers, footers, forms), left out: 3. First", "a.html"
    )
    assert read(tmp_path / "a.html", unit="file").texts == ["\n\n".join(PARAGRAPHS)]


def test_lines_of_html(tmp_path) -> None:
    (tmp_path / "a.htm").write_text(
        "<h1>Title</h1><p>One\n  two<br>three <b>bo</b>ld</p><ul><li>x<li>y</ul><pre>a\n  b</pre>"
        "<table><tr><td>1<td>2</table>"
    )
    assert read(tmp_path / "a.htm", unit="file").texts == [
        "Title\n\nOne two\nthree bold\n\nx\ny\n\na\nb\n\n1 2"
    ]


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-2", "shift_jis", "utf-16"])
def test_html_is_read_in_the_encoding_that_it_declares(tmp_path, encoding) -> None:
    text = {"shift_jis": "日本語の文章です。", "iso-8859-2": "Zażółć gęślą jaźń"}.get(
        encoding, "café au lait"
    )
    content = f'<html><head><meta charset="{encoding}"></head><body><p>{text}</p></body></html>'
    (tmp_path / "a.html").write_bytes(content.encode(encoding))
    assert read(tmp_path / "a.html").texts == [text]


def test_a_folder_of_documents_of_many_kinds(tmp_path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.html").write_text(page("From HTML"))
    (folder / "b.xml").write_text("<a><title>From</title><p>XML <i>too</i>, all of it</p><!-- no --></a>")
    write_docx(folder / "c.docx", "From DOCX")
    write_pdf(folder / "d.pdf", "From PDF")
    write_epub(folder / "e.epub", "From EPUB")
    write_notebook(folder / "f.ipynb", "From a *notebook*")
    write_mbox(folder / "g.mbox", "From a mail", "From another")
    (folder / "h.md").write_text("# From\n\n*Markdown*\n")
    (folder / "i.txt").write_text("From text")
    assert read(folder).texts == [
        *("From HTML", "From\n\nXML too, all of it", "From DOCX", "From PDF", "From EPUB", "From a notebook"),
        *("From a mail", "From another", "From\n\nMarkdown", "From text"),
    ]
    for pack in ("tar", "tar.gz", "tar.xz", "zip", "tgz"):
        archive = tmp_path / f"all.{pack}"
        if pack == "zip":
            with zipfile.ZipFile(archive, "w") as packed:
                for path in sorted(folder.iterdir()):
                    packed.write(path, f"deep/{path.name}")
        else:
            with tarfile.open(archive, "w:" + {"tar": "", "tgz": "gz"}.get(pack, pack[4:])) as tar:
                tar.add(folder, "deep")
        assert read(archive).texts == read(folder).texts


def write_docx(path: Path, *paragraphs: str) -> None:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(str(path))


def write_pdf(path: Path, *pages: str) -> None:
    """A small PDF by hand: pypdf writes no text."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        shown = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
    content, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(content))
        content += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    content += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF"
    ).encode()
    path.write_bytes(content)


def write_epub(path: Path, *chapters: str) -> None:
    items = "".join(
        f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        )
        book.writestr(
            "OEBPS/content.opf",
            f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{spine}</spine></package>',
        )
        for number, text in reversed(list(enumerate(chapters))):
            book.writestr(f"OEBPS/text/c{number}.xhtml", f"<html><body><p>{escaped(text)}</p></body></html>")


def write_notebook(path: Path, text: str, code: str = "") -> None:
    cells = [{"cell_type": "markdown", "source": [text]}]
    if code:
        cells.append({"cell_type": "code", "source": code, "outputs": [{"text": "42"}]})
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))


def mail(text: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = "A subject", "a@example.org"
    message.set_content(text)
    return message


def write_mbox(path: Path, *texts: str) -> None:
    box = mailbox.mbox(str(path))
    for text in texts:
        box.add(mail(text))
    box.close()


@pytest.mark.parametrize("write", [write_docx, write_epub])
def test_paragraphs_of_a_document(tmp_path, write) -> None:
    path = tmp_path / f"a.{write.__name__[6:]}"
    write(path, *PARAGRAPHS)
    assert read(path).texts == PARAGRAPHS
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CorpusError, match="or is damaged or truncated"):
        read(path)


def test_all_text_of_a_docx(tmp_path) -> None:
    document = docx.Document()
    document.add_heading("A heading")
    document.add_paragraph("Before\tthe table").add_run("\nsecond line")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    inserted = document.add_paragraph("Kept and ")._p
    inserted.append(
        docx.oxml.parse_xml(
            '<w:ins xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:r><w:t>inserted</w:t></w:r></w:ins>'
        )
    )
    inserted.append(
        docx.oxml.parse_xml(
            '<w:del xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:r><w:delText>gone</w:delText></w:r></w:del>'
        )
    )
    document.sections[0].header.paragraphs[0].text = "Page header"
    document.save(str(tmp_path / "a.docx"))
    found = read(tmp_path / "a.docx", unit="file")
    assert found.texts == [
        "A heading\n\nBefore\tthe table\nsecond line\n\nleft\n\nright\n\nKept and inserted"
    ]
    assert found.told("headers, footers and comments of DOCX", ": 1.") or found.told(
        "Headers, footers", ": 1."
    )
    assert found.told("Tracked deletions in DOCX files, left out: 1.")


def test_pages_of_a_pdf(tmp_path) -> None:
    write_pdf(tmp_path / "a.pdf", "Page one", "", "Page three")
    found = read(tmp_path / "a.pdf")
    assert found.texts == ["Page one", "Page three"]
    assert found.told("PDF pages without text (images), left out: 1. First", "page 2")


def test_pdfs_that_hold_no_text_or_a_password_are_refused(tmp_path) -> None:
    from pypdf import PdfReader, PdfWriter

    write_pdf(tmp_path / "scan.pdf", "", "")
    with pytest.raises(CorpusError, match="its 2 pages are images") as caught:
        read(tmp_path / "scan.pdf")
    assert "OCR" in caught.value.hint
    write_pdf(tmp_path / "a.pdf", "Secret")
    writer = PdfWriter(clone_from=PdfReader(tmp_path / "a.pdf"))
    writer.encrypt("word", algorithm="RC4-128")
    writer.write(tmp_path / "shut.pdf")
    with pytest.raises(CorpusError, match=r"shut\.pdf is password-protected"):
        read(tmp_path / "shut.pdf")
    (tmp_path / "not.pdf").write_bytes(b"this is no PDF")
    with pytest.raises(CorpusError, match=r"not\.pdf is not a PDF file"):
        read(tmp_path / "not.pdf")


def test_one_bad_document_of_a_folder_is_named(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "bad.pdf").write_bytes(b"this is no PDF")
    with pytest.raises(CorpusError, match=r"bad\.pdf is not a PDF file"):
        read(tmp_path)


def test_xml_that_is_not_well_formed_is_refused_at_its_line(tmp_path) -> None:
    (tmp_path / "a.xml").write_text("<a>\n<p>one</p>\n<p>two</b>\n</a>")
    with pytest.raises(CorpusError, match=r"a\.xml, line 3 is not well-formed"):
        read(tmp_path / "a.xml")


def test_xml_expands_no_bombs(tmp_path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    (tmp_path / "a.xml").write_text(f'<!DOCTYPE a [<!ENTITY e0 "lol lol">{entities}]><a>&e11;</a>')
    with pytest.raises(CorpusError):
        read(tmp_path / "a.xml")


def test_cells_of_a_notebook(tmp_path) -> None:
    write_notebook(tmp_path / "a.ipynb", "# A title\n\nSome *words*", "x = 1\ny = 2 * x")
    found = read(tmp_path / "a.ipynb", unit="file")
    assert found.texts == ["A title\n\nSome words\n\nx = 1\ny = 2 * x"]
    assert found.told("Notebook outputs, left out: 1.")
    (tmp_path / "b.ipynb").write_text("{}")
    with pytest.raises(CorpusError, match="not a Jupyter notebook"):
        read(tmp_path / "b.ipynb")


def test_mails(tmp_path) -> None:
    texts = [f"Mail {n}, naïve ☃\n\nFrom here on it goes." for n in range(5)]
    write_mbox(tmp_path / "a.mbox", *texts)
    found = read(tmp_path / "a.mbox")
    assert found.texts == texts and found.told("each message is a document; messages: 5")
    both = mail("In plain text")
    both.add_alternative("<p>In <b>HTML</b></p>", subtype="html")
    both.add_attachment(b"PNG", maintype="image", subtype="png", filename="a.png")
    (tmp_path / "a.eml").write_bytes(bytes(both))
    found = read(tmp_path / "a.eml")
    assert found.texts == ["In plain text"] and found.told("E-mail attachments, left out: 1.")
    html = EmailMessage()
    html.set_content("<p>Only <b>HTML</b></p><p>Two</p>", subtype="html")
    (tmp_path / "b.eml").write_bytes(bytes(html))
    assert read(tmp_path / "b.eml").texts == ["Only HTML\n\nTwo"]


MARKED = """\
---
title: Front matter
---
# A *title*

Some **bold** and _soft_ text with a [link](http://example.org) and `code`,
snake_case_words and 2 * 3 * 4.

* one
* two

1984. A year

> quoted

```python
x = "*not bold*"
```

| a | b |
|---|---|
| 1 | 2 |

<!-- a comment --><div>Inside</div>
"""


def test_markdown_loses_its_marks_alone() -> None:
    text = without_markup(MARKED)
    for gone in (
        "Front matter",
        "**",
        "# ",
        "](",
        "example.org",
        "```",
        "> ",
        "|",
        "comment",
        "<div>",
        "_soft_",
    ):
        assert gone not in text
    for kept in (
        "A title",
        "bold and soft text with a link and code,\nsnake_case_words and 2 * 3 * 4.",
        "one\ntwo",
    ):
        assert kept in text
    for kept in ("1984. A year", 'x = "*not bold*"', "quoted", "Inside"):
        assert kept in text


@pytest.mark.parametrize(
    "lines", [["One line.", "Two."], ["A block", "of lines", "", "", "and another", "", "end"]]
)
def test_markdown_without_markup_is_plain_text(tmp_path, lines) -> None:
    (tmp_path / "a.md").write_text("\n".join(lines))
    (tmp_path / "a.txt").write_text("\n".join(lines))
    found = read(tmp_path / "a.md")
    assert found.texts == read(tmp_path / "a.txt").texts
    assert not found.told("markup removed")


@pytest.mark.parametrize(
    ("package", "name"), [("lxml.html", "a.html"), ("pypdf", "a.pdf"), ("docx", "a.docx")]
)
def test_a_missing_package_names_the_extra(tmp_path, monkeypatch, package, name) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / name).write_text("x")
    with pytest.raises(CorpusError, match="is not installed") as caught:
        read(tmp_path / name)
    assert "mlm-workbench[formats]" in caught.value.hint
