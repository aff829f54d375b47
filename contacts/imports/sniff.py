"""What an uploaded file is: encoding, delimiter, or why it cannot be a list of contacts. Pure.

The ladder byte order mark -> strict UTF-8 -> the brand's locale decoded right what charset-normalizer 3.5.2 did not (it
took a mostly-ASCII GB18030 file for ISO 8859-16). GB18030 also accepts most Windows-1252 text ("Zürich" becomes
"Z黵ich"), so the page always shows the outcome and lets people choose.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import BinaryIO

ENCODINGS = {
    "utf-8": "Unicode (UTF-8)",
    "gb18030": "Chinese (GB18030, GBK, GB2312)",
    "cp1252": "Western European (Windows-1252)",
    "big5hkscs": "Traditional Chinese (Big5)",
    "cp932": "Japanese (Shift JIS)",
    "euc_kr": "Korean (EUC-KR)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1250": "Central European (Windows-1250)",
    "cp1256": "Arabic (Windows-1256)",
}
DELIMITERS = {",": "Comma ,", ";": "Semicolon ;", "\t": "Tab", "|": "Bar |"}
BY_LANGUAGE = {
    "zh": "gb18030",
    "ja": "cp932",
    "ko": "euc_kr",
    "ru": "cp1251",
    "ar": "cp1256",
    "pl": "cp1250",
    "cs": "cp1250",
}
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The first bytes of what people upload by mistake, and what to tell them.
NOT_TEXT = {
    b"PK\x03\x04": "This is a ZIP archive or an Excel workbook (.xlsx), even if its name ends in .csv. "
    "Open it in a spreadsheet and save it as CSV.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel workbook (.xls). Open it in a spreadsheet and save it as CSV.",
    b"\x1f\x8b": "This is a compressed file (.gz). Unpack it first.",
    b"%PDF": "This is a PDF document, not a CSV file.",
    b"\x89PNG": "This is a picture, not a CSV file.",
    b"\xff\xd8\xff": "This is a picture, not a CSV file.",
}
CONTROL = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})  # hardly any text has them
CHUNK = 1 << 20


def refuse(head: bytes) -> str | None:
    """Why a file that begins like this cannot be imported, or None."""
    for mark, words in NOT_TEXT.items():
        if head.startswith(mark):
            return words
    if not head.strip():
        return "The file is empty."
    n_control = len(head) - len(head.translate(None, CONTROL))
    if not head.startswith(UTF_16_MARKS) and n_control > len(head) // 100:
        return "This is not a text file. Save your list as CSV and upload that."
    return None


def rewritten(head: bytes, chunks: Iterable[bytes]) -> Iterable[bytes] | None:
    """The file as UTF-8 with line feeds if it is UTF-16 (Excel's "Unicode text") or ends lines by CR alone; else None.

    All other files are read as they are, byte by byte, so that a crashed import can go on at a byte position.
    """
    if head.startswith(UTF_16_MARKS):
        return _from_utf_16(chunks)
    if b"\n" not in head and b"\r" in head:
        return (chunk.replace(b"\r", b"\n") for chunk in chunks)
    return None


def _from_utf_16(chunks: Iterable[bytes]) -> Iterable[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()


def sniff_encoding(file: BinaryIO, locale: str) -> str:
    """The encoding to read the file in: a key of ENCODINGS."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return BY_LANGUAGE.get(locale[:2].lower(), "cp1252")
    return "utf-8"


def sniff_delimiter(line: str) -> str:
    """The delimiter that stands most often in the header line, outside quotes; a comma if none does."""
    bare = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=bare.count)
