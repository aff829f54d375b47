"""Real and absurd files to rows: encodings, delimiters, header words, broken quotes."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.imports.headers import guess_mapping
from contacts.imports.preview import UnusableFile, guess, guess_dialect, look_into, preview_rows
from contacts.imports.records import BROKEN_QUOTE, Dialect, Position, Record, read_records
from contacts.imports.rows import AGREED, UNKNOWN, WITHDRAWN, ImportRow, RejectedRow, RowReader
from contacts.imports.sniff import refuse, rewritten, sniff_delimiter, sniff_encoding

COMMA = Dialect("utf-8", ",")
SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags"
)
WOOCOMMERCE = "Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,Postal Code"
MAILCHIMP = (
    "Email Address,First Name,Last Name,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
KLAVIYO = (
    "Email,Klaviyo ID,First Name,Last Name,Organization,Title,Phone Number,Address,Address 2,City,State / Region,"
    "Country,Zip Code,Latitude,Longitude,Source,IP Address,Email Marketing Consent,Email Marketing Consent Timestamp"
)


def records(content: bytes, dialect: Dialect = COMMA, n_columns: int | None = None) -> list[Record]:
    """All records of a text."""
    return list(read_records(BytesIO(content), dialect, n_columns=n_columns))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            SHOPIFY,
            {
                "First Name": "first_name",
                "Last Name": "last_name",
                "Email": "email",
                "Accepts Email Marketing": "consent",
                "Default Address City": "city",
                "Default Address Country Code": "country",
                "Phone": "phone",
            },
        ),
        (WOOCOMMERCE, {"Name": "full_name", "Email": "email", "Country / Region": "country", "City": "city"}),
        (
            MAILCHIMP,
            {
                "Email Address": "email",
                "First Name": "first_name",
                "Last Name": "last_name",
                "Phone Number": "phone",
                "CONFIRM_TIME": "consent_at",
                "TIMEZONE": "timezone",
                "CC": "country",
            },
        ),
        (
            KLAVIYO,
            {
                "Email": "email",
                "First Name": "first_name",
                "Last Name": "last_name",
                "Phone Number": "phone",
                "City": "city",
                "Country": "country",
                "Email Marketing Consent": "consent",
                "Email Marketing Consent Timestamp": "consent_at",
            },
        ),
        (
            "邮箱,姓名,手机,国家,城市,是否订阅,订阅时间",
            {
                "邮箱": "email",
                "姓名": "full_name",
                "手机": "phone",
                "国家": "country",
                "城市": "city",
                "是否订阅": "consent",
                "订阅时间": "consent_at",
            },
        ),
        (
            "E-Mail;Vorname;Nachname;Ort;Land".replace(";", ","),
            {"E-Mail": "email", "Vorname": "first_name", "Nachname": "last_name", "Ort": "city", "Land": "country"},
        ),
    ],
)
def test_headers_of_exports_are_understood(headers: str, expected: dict[str, str]) -> None:
    names = headers.split(",")
    mapping = guess_mapping(names, [], {})
    assert {names[column]: field for column, field in mapping.items()} == expected


def test_custom_fields_are_found_by_label_or_key() -> None:
    mapping = guess_mapping(["mail", "Shoe Size", "VIP"], [], {"shoe": "Shoe size", "vip": "Very important"})
    assert mapping == {0: "email", 1: "field:shoe", 2: "field:vip"}


def test_the_column_of_addresses_is_found_without_a_header() -> None:
    look = look_into(BytesIO(b"1;Alice;alice@example.com\n2;Bob;?\n"), Dialect("utf-8", ";"))
    assert (look.has_header, look.headers) == (False, ["Column 1", "Column 2", "Column 3"])
    assert guess(look, {}) == {2: "email"}


@pytest.mark.parametrize(
    ("content", "locale", "encoding"),
    [
        ("名,Zürich".encode(), "zh-Hans", "utf-8"),
        ("\ufeff名".encode(), "en", "utf-8"),
        ("名,Zürich".encode("gb18030"), "zh-Hans", "gb18030"),
        ("Zürich".encode("cp1252"), "de", "cp1252"),
        (b"plain", "zh", "utf-8"),
    ],
)
def test_the_encoding_ladder(content: bytes, locale: str, encoding: str) -> None:
    assert sniff_encoding(BytesIO(content), locale) == encoding


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_apart_outside_quotes(delimiter: str) -> None:
    assert sniff_delimiter(delimiter.join(["a", '"b,,,,;;;;c"', "d"])) == delimiter


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_same_people_in_every_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    name = {"gb18030": "王小明", "cp1252": "Renée"}.get(encoding, "نور 🎉 王 Renée")
    text = (
        delimiter.join(["Email", "First Name", "Note"])
        + "\r\n"
        + delimiter.join(["a@b.co", name, '"one\r\ntwo"'])
        + "\r\n"
    )
    file = BytesIO(text.encode(encoding))
    locale = "zh" if encoding == "gb18030" else "en"
    dialect = guess_dialect(file, sniff_encoding(file, locale))
    look = look_into(file, dialect)
    ((_, row),) = preview_rows(look, guess(look, {}), {}, attested=False)
    assert isinstance(row, ImportRow)
    assert (row.patch.first_name, dialect.delimiter) == (name, delimiter)


def test_lines_are_physical_and_a_row_is_named_by_its_first() -> None:
    found = records(b'email,note\na@b.co,"one\ntwo\n\nthree"\n\n\nb@b.co,x\n')
    assert [(record.line, record.cells) for record in found] == [
        (1, ["email", "note"]),
        (2, ["a@b.co", "one\ntwo\n\nthree"]),
        (8, ["b@b.co", "x"]),
    ]


def test_an_unclosed_quote_costs_only_its_own_line() -> None:
    found = records(b'email,note\na@b.co,"never closed\nb@b.co,x\nc@b.co,"fine\nhere"\nd@b.co,y\n', n_columns=3)
    assert [(record.line, record.problem) for record in found] == [
        (1, ""),
        (2, BROKEN_QUOTE),
        (3, ""),
        (4, ""),
        (6, ""),
    ]
    assert found[3].cells == ["c@b.co", "fine\nhere"]


def test_a_nickname_in_undoubled_quotes_is_kept_when_the_cells_fit() -> None:
    (record,) = records(b'b@b.co,"Bob "Bobby" Jones",x\n', n_columns=3)
    assert (record.cells, record.problem) == (["b@b.co", 'Bob Bobby" Jones"', "x"], "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"a@b.co,\0x\n", "NUL"),
        (b"a@b.co,\xff\n", "UTF-8"),
        (b"a@b.co," + b"x" * 200_000 + b"\n", "131,072 characters"),
        (b"a@b.co," + b"x" * 10_000_000 + b"\n", "longer than 1,048,576 bytes"),
        (b'a@b.co,"' + b"x\n" * 100_000 + b'"\n', "131,072 characters"),
    ],
)
def test_an_absurd_row_is_named_and_the_next_one_is_read(line: bytes, words: str) -> None:
    found = records(b"email,note\n" + line + b"b@b.co,x\n", n_columns=2)
    assert words in found[1].problem
    assert found[1].line == 2
    assert found[-1].cells == ["b@b.co", "x"]
    assert found[-1].line == 2 + line.count(b"\n")


def test_reading_goes_on_at_any_row() -> None:
    content = (
        b'\xef\xbb\xbfemail,note\r\n\r\na@b.co,"x\r\ny"\r\nb@b.co,"broken\r\nc@b.co,\0\r\nd@b.co,'
        + b"z" * 2_000_000
        + b"\r\ne@b.co,1\r\n"
    )
    whole = records(content, n_columns=2)
    for index, record in enumerate(whole):
        rest = list(read_records(BytesIO(content), COMMA, start=record.end, n_columns=2))
        assert rest == whole[index + 1 :]
    assert whole[-1].end == Position(len(content), content.count(b"\n"))


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4).filter(any), max_size=12))
def test_whatever_a_csv_writer_writes_is_read_again(rows: list[list[str]]) -> None:
    written = StringIO()
    csv.writer(written).writerows(rows)
    found = records(written.getvalue().encode())
    assert [record.cells for record in found] == [
        [cell.removeprefix("\ufeff") if (r, c) == (0, 0) else cell for c, cell in enumerate(row)]
        for r, row in enumerate(rows)
    ]


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader_and_positions_only_grow(content: bytes) -> None:
    found = records(content)
    offsets = [record.end.offset for record in found]
    assert offsets == sorted(set(offsets))
    assert all(offset <= len(content) for offset in offsets)


@pytest.mark.parametrize(
    ("word", "consent"),
    [
        ("yes", AGREED),
        ("TRUE", AGREED),
        ("SUBSCRIBED", AGREED),
        ("是", AGREED),
        ("no", UNKNOWN),
        ("NEVER_SUBSCRIBED", UNKNOWN),
        ("pending", UNKNOWN),
        ("cleaned", UNKNOWN),
        ("", UNKNOWN),
        ("UNSUBSCRIBED", WITHDRAWN),
        ("退订", WITHDRAWN),
    ],
)
def test_consent_words_of_exports(word: str, consent: int) -> None:
    reader = RowReader({0: "email", 1: "consent"}, {}, n_columns=2, attested=True)
    row = reader.read(Record(2, ["a@b.co", word], "", Position()))
    assert isinstance(row, ImportRow)
    assert row.consent == consent


@pytest.mark.parametrize(
    ("cells", "field", "words"),
    [
        (["nobody", "yes", ""], "email", "name@example.com"),
        (["", "", ""], "email", "empty"),
        (["a@b.co", "whatever", ""], "consent", "not understood"),
        (["a@b.co", "yes", "yesterday"], "consent_at", "not a time"),
        (["a@b.co", "yes", "", "extra"], "", "4 cells"),
    ],
)
def test_bad_rows_name_the_field_and_the_reason(cells: list[str], field: str, words: str) -> None:
    reader = RowReader({0: "email", 1: "consent", 2: "consent_at"}, {}, n_columns=3, attested=False)
    row = reader.read(Record(7, cells, "", Position()))
    assert isinstance(row, RejectedRow)
    assert (row.line, row.field) == (7, field)
    assert words in row.reason


def test_short_rows_and_empty_extra_cells_are_fine() -> None:
    reader = RowReader({0: "email", 2: "city"}, {}, n_columns=3, attested=False)
    for cells in (["a@b.co"], ["a@b.co", "", "Rome", "", " "]):
        assert isinstance(reader.read(Record(2, cells, "", Position())), ImportRow)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"PK\x03\x04x", "xlsx"),
        (b"\xd0\xcf\x11\xe0x", "xls"),
        (b"\x1f\x8bx", "compressed"),
        (b"  \n", "empty"),
        (b"a\0b\0" * 99, "text"),
    ],
)
def test_what_is_no_csv_is_refused(head: bytes, words: str) -> None:
    assert words in (refuse(head) or "")
    assert refuse("email,名\n".encode()) is None


def test_utf_16_and_carriage_returns_are_rewritten_and_nothing_else_is() -> None:
    assert rewritten(b"a\nb", [b"a\nb"]) is None
    utf_16 = "a\tü\r\n".encode("utf-16")
    made = rewritten(utf_16, [utf_16[:3], utf_16[3:]])
    assert made is not None
    assert b"".join(made) == "a\tü\r\n".encode()
    mac = rewritten(b"a\rb", [b"a\r", b"b"])
    assert mac is not None
    assert b"".join(mac) == b"a\nb"


@pytest.mark.parametrize(
    ("content", "words"), [(b"\n", "no rows"), (b"a,b\n", "header line and no rows"), (b"," * 500, "501 columns")]
)
def test_a_file_without_anybody_is_unusable(content: bytes, words: str) -> None:
    with pytest.raises(UnusableFile, match=words):
        look_into(BytesIO(content), COMMA)
