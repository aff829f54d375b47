"""Who looks at the pages: Maria may do everything, Vera may look, and nobody is logged in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from campaigns.registry import FakeDelivery

MAY_LOOK = ("view_campaign", "view_template", "view_contact")


@pytest.fixture
def maria(db: None, delivery: FakeDelivery) -> Client:
    """A marketer with every permission."""
    client = Client()
    client.force_login(User.objects.create_superuser("maria", "maria@example.com", "pw"))
    return client


@pytest.fixture
def vera(db: None, delivery: FakeDelivery) -> Client:
    """Staff who may look and no more."""
    user = User.objects.create_user("vera", "vera@example.com", "pw", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=MAY_LOOK))
    client = Client()
    client.force_login(user)
    return client
