"""The kinds of readable files: one list for the readers, the form, the messages and the docs.

A new kind needs an entry here and a reader in `workbench.corpus`; nothing else names kinds of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

Shape = Literal["text", "table", "document", "archive"]

PACKED = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
"""Compression by suffix. Files of any kind may be compressed."""

_SHORT = {
    ".tgz": (".tar", ".gz"),
    ".tbz2": (".tar", ".bz2"),
    ".txz": (".tar", ".xz"),
    ".tzst": (".tar", ".zst"),
}


@dataclass(frozen=True)
class FileKind:
    """One kind of file.

    shape: a "text" is read line by line, a "table" has columns, a "document" is whole, an "archive" holds
    files. reader: module and name in it, imported when such a file is read. what, how, refused: the table in
    docs/data.md. extra: whether the packages of the extra `formats` are needed. other_name: plain text by
    another name, which a folder of tables may hold besides them.
    """

    name: str
    suffixes: tuple[str, ...]
    shape: Shape
    reader: str
    what: str
    how: str
    refused: str
    extra: bool = False
    other_name: bool = False


_TEXT_REFUSED = "binary content; a line above 1 GB"
_SOURCE_CODE = (
    *(
        ".py",
        ".pyi",
        ".c",
        ".h",
        ".cc",
        ".cpp",
        ".hpp",
        ".cs",
        ".java",
        ".kt",
        ".scala",
        ".go",
        ".rs",
        ".swift",
    ),
    *(".js", ".mjs", ".ts", ".jsx", ".tsx", ".css", ".php", ".rb", ".pl", ".pm", ".lua", ".r", ".jl", ".m"),
    *(".sh", ".bash", ".zsh", ".ps1", ".bat", ".sql", ".hs", ".ml", ".clj", ".ex", ".exs", ".erl", ".f90"),
    *(".dart", ".vim", ".el", ".lisp", ".scm", ".asm", ".s", ".v", ".vhd", ".cmake", ".mk"),
)

KINDS: tuple[FileKind, ...] = (
    FileKind(
        "Plain text",
        (".txt", ".text"),
        "text",
        "workbench.corpus.plain:lines",
        "a line, a file or a block between blank lines (field `documents`)",
        "as it is; line ends become a newline; a blank line is no document",
        _TEXT_REFUSED,
    ),
    FileKind(
        "Plain text by another name",
        (".rst", ".log", ".tex", ".adoc", ".org", ".srt", ".vtt", ""),
        "text",
        "workbench.corpus.plain:lines",
        "as plain text",
        "as plain text; so is a file of any other name that is named itself",
        _TEXT_REFUSED,
        other_name=True,
    ),
    FileKind(
        "Source code",
        _SOURCE_CODE,
        "text",
        "workbench.corpus.plain:lines",
        "as plain text",
        "as plain text",
        _TEXT_REFUSED,
        other_name=True,
    ),
    FileKind(
        "Markdown",
        (".md", ".markdown"),
        "text",
        "workbench.corpus.formats.markdown:lines",
        "as plain text",
        "marks of headings, lists, emphasis and links are taken out (markdown-it-py), as are front matter, "
        "comments and HTML tags; the lines of the rest stay as they are",
        _TEXT_REFUSED,
        other_name=True,
    ),
    FileKind(
        "JSON",
        (".jsonl", ".ndjson", ".json"),
        "table",
        "workbench.corpus.json_rows:TABLE",
        "a row",
        "an object a line, objects one after another, or an array of them, printed on any number of lines; "
        "strings in place of objects are a column `text`; an object with one list of objects in it is that "
        "list",
        "a line or an object that is not JSON, other values than objects and strings, an array that does not "
        "end",
    ),
    FileKind(
        "CSV and TSV",
        (".csv", ".tsv"),
        "table",
        "workbench.corpus.csv_rows:TABLE",
        "a row",
        "comma, semicolon, tab, bar, caret or tilde, found in the file, as are `sep=`, the header and "
        'whether quotes inside quotes are doubled or written `\\"`; with tabs, quotes are text unless the '
        "fields are quoted throughout",
        "a row with more or fewer fields than the header; a quote that is not closed, at the line where it "
        "opens; text behind a closing quote",
    ),
    FileKind(
        "Parquet",
        (".parquet",),
        "table",
        "workbench.corpus.arrow_rows:PARQUET",
        "a row",
        "a few rows at once; only the text column; bytes that are UTF-8 are text",
        "a damaged file; text that is not UTF-8",
    ),
    FileKind(
        "Arrow",
        (".arrow", ".feather"),
        "table",
        "workbench.corpus.arrow_rows:ARROW",
        "a row",
        "the stream or the file format, a few rows at once; bytes that are UTF-8 are text",
        "a damaged file; text that is not UTF-8",
    ),
    FileKind(
        "HTML",
        (".html", ".htm", ".xhtml"),
        "document",
        "workbench.corpus.formats.html:texts",
        "a file; a single file is cut at its paragraphs",
        "the text of <main> or <article>, else of the body (lxml); menus, headers, footers, forms and "
        "scripts are left out and counted",
        "a page without text",
        extra=True,
    ),
    FileKind(
        "XML",
        (".xml",),
        "document",
        "workbench.corpus.formats.xml:texts",
        "a file; a single file is cut at its paragraphs",
        "the text of all elements, each that holds text itself a paragraph; attributes and comments are left "
        "out",
        "a file that is not well-formed, at the line",
    ),
    FileKind(
        "PDF",
        (".pdf",),
        "document",
        "workbench.corpus.formats.pdf:texts",
        "a file; a single file is cut at its paragraphs",
        "the text layer of each page (pypdf); pages without one are counted",
        "a password; a file none of whose pages holds text (a scan); a damaged file",
        extra=True,
    ),
    FileKind(
        "DOCX",
        (".docx",),
        "document",
        "workbench.corpus.formats.docx:texts",
        "a file; a single file is cut at its paragraphs",
        "paragraphs, tables, text boxes, foot- and endnotes (python-docx); deleted text, page headers and "
        "footers are left out and counted",
        "a password; a damaged file",
        extra=True,
    ),
    FileKind(
        "EPUB",
        (".epub",),
        "document",
        "workbench.corpus.formats.epub:texts",
        "a file; a single file is cut at its paragraphs",
        "the chapters in reading order, each as HTML",
        "copy protection; a damaged file",
        extra=True,
    ),
    FileKind(
        "Jupyter notebook",
        (".ipynb",),
        "document",
        "workbench.corpus.formats.notebook:texts",
        "a file; a single file is cut at its paragraphs",
        "text cells as Markdown, code cells as they are; outputs are left out and counted",
        "what is not a notebook",
    ),
    FileKind(
        "Mail",
        (".mbox", ".eml"),
        "document",
        "workbench.corpus.formats.mail:texts",
        "a message",
        "the plain text of a message, or else its HTML; attachments are left out and counted, as are mails "
        "without text; header lines are not read",
        "a damaged file",
    ),
    FileKind(
        "Archive",
        (".tar", ".zip"),
        "archive",
        "workbench.corpus.archives:unpack",
        "as the files in it",
        "like a folder with these files; links, devices and archives in it are left out and counted",
        "a password; a damaged archive",
    ),
)
"""All readable kinds, in the order of the documentation."""

_BY_SUFFIX = {suffix: kind for kind in KINDS for suffix in kind.suffixes}
PLAIN = KINDS[0]


def suffixes_of(name: str | PurePath) -> tuple[str, str]:
    """The suffixes for kind and compression, "" for none: a.CSV.gz gives (".csv", ".gz")."""
    ends = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    last = ends[-1] if ends else ""
    if last in _SHORT:
        return _SHORT[last]
    if last in PACKED:
        return (ends[-2] if len(ends) > 1 else ""), last
    return last, ""


def kind_of(name: str | PurePath) -> FileKind | None:
    """The kind of a file by its name, compressed or not; None for an unknown suffix."""
    kind, _ = suffixes_of(name)
    return _BY_SUFFIX.get(kind)


def names_text(name: str) -> bool:
    """Whether a name that does not exist here means a file rather than a data set on the hub."""
    suffix, packing = suffixes_of(name)
    kind = _BY_SUFFIX.get(suffix)
    return bool(packing) or (kind is not None and bool(suffix) and not kind.other_name)


def examples() -> str:
    """The usual suffixes, for a line of help."""
    return " ".join(kind.suffixes[0] for kind in KINDS if not kind.other_name)


def readable() -> str:
    """A sentence that lists all readable kinds."""
    titles: dict[Shape, str] = {
        "text": "plain text",
        "table": "tables",
        "document": "documents",
        "archive": "archives",
    }
    parts = []
    for shape, title in titles.items():
        usual = [kind for kind in KINDS if kind.shape == shape and kind.name != "Source code"]
        ends = " ".join(suffix for kind in usual for suffix in kind.suffixes if suffix)
        parts.append(f"{title} ({ends})")
    return f"Readable files: {', '.join(parts)}, and {' '.join(PACKED)} of these."
