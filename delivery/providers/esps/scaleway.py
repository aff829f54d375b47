"""Scaleway Transactional Email: https://www.scaleway.com/en/developers/api/transactional-email/ (read 2026-10)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from delivery.providers.contract import Account, Capabilities, Content, FormField
from delivery.providers.http import Call

from .dialect import Dialect

REGIONS = ("fr-par",)
API_URL = "https://api.scaleway.com/transactional-email/v1alpha1/regions/{region}/"


class Scaleway(Dialect):
    """One by one; receipts go to Scaleway's own queue service, not to a webhook that anymail reads."""

    key = "scaleway"
    label = "Scaleway Transactional Email"
    docs_url = "https://www.scaleway.com/en/docs/transactional-email/"
    spf_include = "_spf.tem.scaleway.com"
    backend = "anymail.backends.scaleway.EmailBackend"
    api_url = API_URL
    capabilities = Capabilities(
        content=Content.FREE_HTML,
        per_recipient_headers=True,
        own_message_id=False,
        notes=("No webhooks: bounces are seen in Scaleway's console only.",),
    )
    fields = (
        FormField("secret_key", "Secret key", secret=True),
        FormField("project_id", "Project ID"),
        FormField("region", "Region", default=REGIONS[0], choices=REGIONS),
    )

    def backend_options(self, account: Account) -> dict[str, Any]:
        """See Dialect."""
        template = account.settings.get("api_url") or API_URL
        return {
            "secret_key": account.credentials["secret_key"],
            "project_id": account.settings["project_id"],
            "region": account.settings["region"],
            "api_url": template.replace("{region}", quote(account.settings["region"], safe="")),
        }

    def probe(self, api_url: str, account: Account) -> Call:
        """See Dialect."""
        query = f"project_id={quote(account.settings['project_id'], safe='')}&page_size=1"
        return Call("GET", f"{api_url}emails?{query}", {"x-auth-token": account.credentials["secret_key"]})
