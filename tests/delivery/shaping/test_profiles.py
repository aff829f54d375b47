from __future__ import annotations

from delivery.shaping.profiles import BY_SITE, DEFAULT, PROFILES, Profile, Tls
from delivery.site_tables import LABELS


def test_every_profile_is_of_a_known_site_and_of_one_only() -> None:
    sites = [profile.site for profile in PROFILES]
    assert len(set(sites)) == len(sites)
    assert set(sites) - {""} <= set(LABELS)


def test_the_default_and_the_strictest_profiles() -> None:
    assert Profile("", 10, 100, 100, 100, Tls.OPPORTUNISTIC, 60) == DEFAULT
    assert BY_SITE["google"] == Profile("google", 5, 100, 50, 100, Tls.REQUIRED, 60)
    assert BY_SITE["netease"] == Profile("netease", 4, 100, 7, 100, Tls.REQUIRED_UNVERIFIED, 60)
    assert BY_SITE["yahoo-japan"].messages_per_second == 10


def test_a_profile_knows_the_exchangers_of_its_site() -> None:
    assert BY_SITE["mimecast"].mx_suffixes == (".mimecast.com", ".mimecast.co.za", ".mimecast-offshore.com")
    assert DEFAULT.mx_suffixes == ()
