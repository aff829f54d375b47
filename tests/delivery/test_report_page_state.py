"""The report's page loads itself again when the campaign has another state than the page shows."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.delivery.factories import make_sending

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("seen", "refresh"), [("sending", None), ("preparing", "true"), ("", "true")])
def test_a_page_with_another_state_loads_itself_again(admin_client: Client, seen: str, refresh: str | None) -> None:
    campaign = make_sending(1)
    url = f"/admin/delivery/reports/{campaign.pk}/"
    answer = admin_client.get(url, {"seen": seen}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.get("HX-Refresh")) == (200, refresh)
