"""Text in any encoding, whole and damaged: every character comes back, or is counted and told."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.encoding_guess import LEAST_SURE, guess
from workbench.corpus.files import LocalFiles
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError, UsageError

POLISH = (
    "Wczesną jesienią łąka pachniała sianem, a dzieci biegały boso aż do zmierzchu. Żółw śpi w źdźbłach.\n"
)
CZECH = "Příliš žluťoučký kůň se včera proháněl po městečku a všichni sousedé se divili, čí asi je.\n"
HUNGARIAN = "Az öreg tűzoltó ősszel gyűjtötte a diót, és hűvös estéken a kályhánál mesélt az unokáinak.\n"
GERMAN = "Über die schmale Brücke führt ein Weg, den früher nur die Bäcker und die Müller kannten.\n"
RUSSIAN = "Старый сад за рекой давно зарос, но каждую весну яблони цветут так же щедро, как прежде.\n"
UKRAINIAN = "Їхня хата стояла край села, і щоранку діти бігли стежкою до ґанку, де їх чекала бабуся.\n"
GREEK = "Το παλιό σπίτι κοντά στη θάλασσα έμεινε κλειστό όλο τον χειμώνα, ώσπου ήρθαν οι εγγονές.\n"
TURKISH = "Yaşlı balıkçı her sabah güneş doğmadan iskeleye iner, ağlarını onarır ve şarkı söylerdi.\n"
HEBREW = "הבית הישן שעל שפת הים עמד סגור כל החורף, עד שבאו הנכדות ופתחו את החלונות.\n"
ARABIC = "كان البيت القديم قرب البحر مغلقا طوال الشتاء، حتى جاءت الحفيدات وفتحن النوافذ.\n"
LITHUANIAN = "Senasis malūnas prie upės stovėjo tuščias, bet kiekvieną pavasarį čia grįždavo gandrai.\n"
THAI = "บ้านเก่าริมทะเลปิดอยู่ตลอดฤดูหนาว จนกระทั่งหลานสาวกลับมาเปิดหน้าต่าง\n"
JAPANESE = "海の近くの古い家は冬のあいだずっと閉まっていたが、春になると孫たちが窓を開けた。\n"
CHINESE = "海边的老房子整个冬天都关着，直到春天孙女们回来打开了窗户，屋里才又有了笑声。\n"
TAIWANESE = "海邊的老房子整個冬天都關著，直到春天孫女們回來打開了窗戶，屋裡才又有了笑聲。\n"
KOREAN = "바닷가의 낡은 집은 겨울 내내 닫혀 있다가 봄이 되자 손녀들이 돌아와 창문을 열었다.\n"

WRITTEN = [
    *[(POLISH, name) for name in ("cp1250", "iso8859_2", "cp852", "mac_latin2")],
    *[(CZECH, name) for name in ("cp1250", "iso8859_2")],
    *[(HUNGARIAN, name) for name in ("cp1250", "iso8859_2")],
    *[(GERMAN, name) for name in ("cp1252", "mac_roman", "cp850")],
    *[(RUSSIAN, name) for name in ("cp1251", "koi8_r", "cp866", "iso8859_5")],
    *[(UKRAINIAN, name) for name in ("cp1251", "koi8_u")],
    *[(GREEK, name) for name in ("cp1253", "iso8859_7")],
    *[(TURKISH, name) for name in ("cp1254", "iso8859_9")],
    *[(HEBREW, "cp1255"), (ARABIC, "cp1256"), (LITHUANIAN, "cp1257"), (THAI, "cp874")],
    *[(JAPANESE, name) for name in ("shift_jis", "euc_jp", "iso2022_jp", "utf_16_le", "utf_16_be")],
    *[(CHINESE, name) for name in ("gbk", "gb18030", "utf_16_le", "utf_16_be", "utf_16")],
    *[(TAIWANESE, "big5"), (KOREAN, "euc_kr"), (KOREAN, "cp949"), (KOREAN, "utf_16_le")],
    *[
        (text, name)
        for text in (POLISH, RUSSIAN)
        for name in ("utf_16_le", "utf_16_be", "utf_32_le", "utf_32")
    ],
]


def read(path: Path, encoding: str = "auto", heard: Heard | None = None, unit: str = "line") -> list[str]:
    notes = Notes(heard if heard is not None else Heard())
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    documents = LocalFiles(str(path), None, unit, encoding).read(scratch, notes)
    notes.tell_counts()
    return documents.texts(np.arange(len(documents)))


@pytest.mark.parametrize("times", [1, 40, 900], ids=["a line", "a page", "above 64 KiB"])
@pytest.mark.parametrize(("text", "encoding"), WRITTEN)
def test_what_is_not_utf8_is_found_and_told(tmp_path, text, encoding, times) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((text * times).encode(encoding))
    heard = Heard()
    assert read(path, heard=heard) == text.splitlines() * times
    told = [note for note in heard.texts if "a guess with" in note]
    assert bool(told) == (not encoding.startswith("utf"))
    assert all(
        "% confidence" in note and "a.txt is not UTF-8 (line 1" in note and "--encoding" in note
        for note in told
    )


@pytest.mark.parametrize(("text", "encoding"), WRITTEN)
def test_an_encoding_that_is_named_is_used(tmp_path, text, encoding) -> None:
    (tmp_path / "a.txt").write_bytes((text * 3).encode(encoding))
    heard = Heard()
    assert read(tmp_path / "a.txt", encoding, heard) == text.splitlines() * 3
    assert heard.texts == ["a.txt: each line is a document; lines: 3."]


@pytest.mark.parametrize("encoding", ["cp1250", "iso8859_2"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt.gz"])
def test_tables_and_packed_files_too(tmp_path, kind, encoding) -> None:
    lines = [f"{n}: {POLISH.strip()}" for n in range(20)]
    if kind == "csv":
        content = "id,text\n" + "".join(f'{n},"{line}"\n' for n, line in enumerate(lines))
    elif kind == "jsonl":
        content = "".join(json.dumps({"text": line}, ensure_ascii=False) + "\n" for line in lines)
    else:
        content = "\n".join(lines)
    raw = content.encode(encoding)
    path = tmp_path / f"a.{kind}"
    path.write_bytes(gzip.compress(raw) if kind.endswith("gz") else raw)
    for given in ("auto", encoding):
        assert read(path, given) == lines


def test_a_sample_that_is_cut_inside_a_character_does_no_harm(tmp_path) -> None:
    for text, encoding in (
        (CHINESE, "gbk"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "cp949"),
    ):
        for shift in range(4):
            whole = "a" * shift + text.strip() * 1000  # one line
            (tmp_path / "a.txt").write_bytes(whole.encode(encoding))
            assert read(tmp_path / "a.txt") == [whole]


def test_a_bad_byte_in_utf8_is_one_replaced_character_of_its_line(tmp_path) -> None:
    lines = [f"{n} {POLISH.strip()}".encode() for n in range(300)]
    lines[7] = lines[7].replace("jesienią".encode(), b"jesieni\xb1")
    lines[200] = b"plain \xff ASCII"
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines))
    heard = Heard()
    found = read(tmp_path / "a.txt", heard=heard)
    assert found == [line.decode("utf-8", "replace") for line in lines]
    assert found[7].count("\ufffd") == found[200].count("\ufffd") == 1
    told = [note for note in heard.texts if "U+FFFD" in note]
    assert len(told) == 1
    assert ": 2. First: " in told[0] and "a.txt, line 8" in told[0]


@pytest.mark.parametrize("text", [POLISH, RUSSIAN, JAPANESE, "The end of it is a café\n"])
@pytest.mark.parametrize("before", [0, 1, 2000])
def test_a_character_cut_at_the_end_spoils_no_other(tmp_path, text, before) -> None:
    raw = (text * before + text.rstrip(".。\n")).encode()
    while raw[-1] < 0x80:
        raw = raw[:-1]
    (tmp_path / "a.txt").write_bytes(raw[:-1])
    heard = Heard()
    found = read(tmp_path / "a.txt", heard=heard)
    assert "\n".join(found) == raw[:-1].decode("utf-8", "replace").rstrip("\n")
    assert sum(line.count("\ufffd") for line in found) == 1
    assert any("U+FFFD" in note and f"line {before + 1}" in note for note in heard.texts)


@pytest.mark.parametrize(
    ("text", "encoding"), [(JAPANESE, "shift_jis"), (CHINESE, "gbk"), (JAPANESE, "euc_jp")]
)
def test_a_legacy_character_cut_at_the_end_spoils_no_other(tmp_path, text, encoding) -> None:
    whole = (text * 50).encode(encoding)
    (tmp_path / "a.txt").write_bytes(whole + text.strip().encode(encoding)[:-1])
    heard = Heard()
    found = read(tmp_path / "a.txt", heard=heard)
    assert found[:50] == text.splitlines() * 50
    assert found[50] == text.strip()[:-1] + "\ufffd"
    assert any("line 51" in note and "U+FFFD" in note for note in heard.texts)


def test_lines_of_two_encodings_are_each_read_as_what_they_are_and_counted(tmp_path) -> None:
    lines = [(GERMAN.strip() + str(n)).encode("cp1252" if n % 3 == 0 else "utf-8") for n in range(60)]
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines))
    heard = Heard()
    assert read(tmp_path / "a.txt", heard=heard) == [GERMAN.strip() + str(n) for n in range(60)]
    assert any("20 of its lines are read as cp1252" in note for note in heard.texts)
    assert any("Lines read as cp1252 among lines of UTF-8: 20. First: " in note for note in heard.texts)


def test_what_cannot_be_told_is_refused_with_what_to_do(tmp_path) -> None:
    draw = random.Random(1)
    raw = bytes(draw.choice([*range(97, 123), 32, *range(128, 256)]) for _ in range(2000))
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(
        CorpusError, match=r"a\.txt is not UTF-8 \(line 1, byte 0x..\), and its encoding"
    ) as caught:
        read(tmp_path / "a.txt")
    assert "encoding" in caught.value.hint
    (tmp_path / "a.txt").write_bytes("p\xf4t ".encode("latin1") * 2)
    found = guess("p\xf4t ".encode("latin1") * 2)
    assert found is not None
    if found.sure < LEAST_SURE:
        with pytest.raises(CorpusError, match="cannot be determined"):
            read(tmp_path / "a.txt")


def test_an_encoding_that_is_wrong_is_refused(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes((RUSSIAN * 20).encode("cp1251"))
    with pytest.raises(CorpusError, match=r"a\.txt is not utf-8: .* bytes") as caught:
        read(tmp_path / "a.txt", "utf-8")
    assert "--encoding" in caught.value.hint


@pytest.mark.parametrize("name", ["", "no-such", "base64", "rot13", "undefined", "a\0b"])
def test_a_name_that_is_no_encoding_is_refused(name) -> None:
    with pytest.raises(UsageError, match="encoding"):
        recipe_for("a.txt", encoding=name)


def test_the_encoding_belongs_to_the_prepared_text(tmp_path, tokenizer) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((POLISH * 30).encode("cp1250"))

    def prepared(encoding: str) -> str:
        recipe = recipe_for(path, encoding=encoding)
        return prepare_corpus(
            recipe, tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=Heard()
        ).fingerprint

    assert prepared("auto") == prepared("cp1250") != prepared("cp1252")


def test_a_folder_of_files_tells_the_first_and_counts_the_others(tmp_path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for n in range(12):
        (folder / f"{n:02}.txt").write_bytes(f"{n} {RUSSIAN}".encode("koi8_r"))
    heard = Heard()
    found = read(folder, heard=heard, unit="file")
    assert found == [f"{n} {RUSSIAN.strip()}" for n in range(12)]
    assert len([note for note in heard.texts if "a guess with" in note]) == 1
    assert any("read as koi8_r (a guess): 12. First: " in note for note in heard.texts)


@pytest.mark.parametrize("seed", range(6))
def test_damage_is_counted_and_spoils_nothing_beside_it(tmp_path, seed) -> None:
    """Bytes of a UTF-8 text overwritten at random: all other characters come back."""
    draw = random.Random(seed)
    texts = [POLISH, RUSSIAN, CHINESE, GERMAN, "Plain words without a mark on them.\n"]
    lines = [f"{n} {draw.choice(texts).strip()}".encode() for n in range(400)]
    damaged = set()
    for n in draw.sample(range(400), 12):
        at = draw.randrange(2, len(lines[n]))
        lines[n] = lines[n][:at] + bytes([draw.randrange(0x80, 0x100)]) + lines[n][at + 1 :]
        damaged.add(n)
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines))
    heard = Heard()
    found = read(tmp_path / "a.txt", heard=heard)
    assert found == [line.decode("utf-8", "replace") for line in lines]
    wrong = sum(line.count("\ufffd") for line in found)
    told = [note for note in heard.texts if "U+FFFD" in note]
    assert not wrong or f": {wrong}. First: " in told[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_named_encoding_without_its_mark_is_refused_in_words(tmp_path, encoding) -> None:
    (tmp_path / "a.txt").write_text("plain text\n" * 5)
    with pytest.raises(CorpusError, match=f"a.txt is not {encoding}"):
        read(tmp_path / "a.txt", encoding)
