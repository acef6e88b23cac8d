"""Extracts the texts of e-mails with the standard library: an .eml file holds one, an .mbox file many."""

from __future__ import annotations

import mailbox
import re
import shutil
import tempfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path

from workbench.corpus.formats.html import text_of_page
from workbench.corpus.formats.needed import damaged
from workbench.corpus.intake import Intake
from workbench.file_kinds import suffixes_of

_QUOTED_FROM = re.compile(r"^>(>*From )", re.MULTILINE)


def texts(intake: Intake, path: Path) -> Iterator[str]:
    """The text of each e-mail. Raises CorpusError if the file holds none."""
    if suffixes_of(path)[0] == ".eml":
        yield _text(intake.content(path), f"{path}", intake, path)
        return
    source = intake.unpacked(path)
    if isinstance(source, Path):
        yield from _of_box(source, intake, path)
        return
    with source, tempfile.NamedTemporaryFile(suffix=".mbox") as whole:
        shutil.copyfileobj(source, whole)
        whole.flush()
        yield from _of_box(Path(whole.name), intake, path)


def _of_box(box: Path, intake: Intake, path: Path) -> Iterator[str]:
    mails = mailbox.mbox(box, create=False)
    try:
        if not len(mails):
            raise damaged(path, "a mailbox")
        for number, key in enumerate(mails.keys(), start=1):
            text = _text(mails.get_bytes(key), f"{path}, message {number}", intake, path)
            yield _QUOTED_FROM.sub(r"\1", text)
    finally:
        mails.close()
    intake.finished(path)


def _text(content: bytes, where: str, intake: Intake, path: Path) -> str:
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain", "html"))
    rest = [part for part in mail.walk() if not part.is_multipart() and part is not body]
    attached = sum(part.get_content_type() not in ("text/plain", "text/html") for part in rest)
    attached += sum(part.is_attachment() for part in rest if part.get_content_maintype() == "text")
    if attached:
        intake.notes.count("e-mail attachments, left out", where, attached, "info")
    if body is None:
        return ""
    text = _decoded(body, where, intake).replace("\r\n", "\n")
    if body.get_content_type() == "text/html":
        text = text_of_page(text, intake, path)
    return text.strip("\n")


def _decoded(part: Message, where: str, intake: Intake) -> str:
    """The text of a part, decoded with the encoding that it names."""
    raw = part.get_payload(decode=True)
    content = raw if isinstance(raw, bytes) else b""
    named = part.get_content_charset() or "utf-8"
    try:
        return content.decode(named)
    except (LookupError, UnicodeDecodeError):
        intake.notes.count("e-mails with a wrong encoding header, undecodable bytes replaced", where)
        return content.decode("utf-8", "replace")
