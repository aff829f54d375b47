"""Dynamic links: their target cannot be changed, nor taken to another link or campaign."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from delivery.tracking.links import MAC_LENGTH, click_url, dynamic_link_mac, dynamic_link_path, verify_dynamic

SECRET = bytes(32)
urls = st.text(st.characters(codec="utf-8"), max_size=80).map(lambda rest: f"https://x.example/{rest}")


@given(st.integers(0, 2**31), st.integers(0, 999), urls)
def test_every_target_reads_back(campaign_id: int, index: int, url: str) -> None:
    path = dynamic_link_path(SECRET, campaign_id, index, url)
    number, mac, encoded = path.split("/")

    assert (number, len(mac)) == (str(index), MAC_LENGTH)
    assert verify_dynamic(SECRET, campaign_id, index, mac, encoded) == url
    assert verify_dynamic(SECRET, campaign_id + 1, index, mac, encoded) is None
    assert verify_dynamic(SECRET, campaign_id, index + 1, mac, encoded) is None
    assert verify_dynamic(b"other", campaign_id, index, mac, encoded) is None


@given(urls, urls)
def test_a_mac_serves_one_target_only(url: str, other: str) -> None:
    mac = dynamic_link_mac(SECRET, 1, 2, url)
    encoded = dynamic_link_path(SECRET, 1, 2, other).split("/")[2]

    assert verify_dynamic(SECRET, 1, 2, mac, encoded) == (url if url == other else None)


@given(st.text(max_size=30), st.text(max_size=30))
def test_nonsense_is_no_link(mac: str, encoded: str) -> None:
    assert verify_dynamic(SECRET, 1, 2, mac, encoded) is None


def test_only_the_canonical_spelling_is_accepted() -> None:
    _, mac, encoded = dynamic_link_path(SECRET, 1, 2, "https://x.example/ab").split("/")

    assert verify_dynamic(SECRET, 1, 2, mac, encoded) == "https://x.example/ab"
    assert verify_dynamic(SECRET, 1, 2, mac, encoded + "=") is None
    assert verify_dynamic(SECRET, 1, 2, mac, encoded[:-1] + chr(ord(encoded[-1]) + 1)) is None


def test_the_address_names_reader_link_and_target() -> None:
    assert click_url("https://go.example", "TOKEN", "5/mac/url") == "https://go.example/d/TOKEN/5/mac/url"
