"""A new draft from an old campaign."""

from __future__ import annotations

import pytest

from campaigns.models import Campaign
from campaigns.services import duplicate_campaign
from tests.campaigns.factories import NOW, make_campaign
from tests.contacts.factories import make_list

pytestmark = pytest.mark.django_db


def test_the_copy_is_a_draft_with_the_same_lists_and_content_and_no_time() -> None:
    news = make_list()
    vip = make_list(news.brand, "VIP")
    old = make_campaign(
        news, exclude=[vip], state="finished", send_at=NOW, launched_at=NOW, route_key="main", track_opens=False
    )

    new = duplicate_campaign(old.pk, by=None)

    assert (new.name, new.state, new.send_at, new.launched_at) == ("Copy of Sale", "draft", None, None)
    assert (new.brand, new.route_key, new.track_opens) == (old.brand, "main", False)
    assert (list(new.send_to.all()), list(new.exclude.all())) == ([news], [vip])
    assert new.variants.get().body == old.variants.get().body


def test_the_old_campaign_stays_as_it_was() -> None:
    old = make_campaign(state="sending", send_at=NOW)

    duplicate_campaign(old.pk, by=None)

    old.refresh_from_db()
    assert (old.name, old.state, old.variants.count()) == ("Sale", "sending", 1)


def test_a_long_name_still_fits() -> None:
    old = make_campaign(name="x" * 150)

    assert len(duplicate_campaign(old.pk, by=None).name) == 150


def test_no_campaign_is_no_copy() -> None:
    with pytest.raises(Campaign.DoesNotExist):
        duplicate_campaign(0, by=None)
