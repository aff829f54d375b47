"""Fakes of the providers that merge on their side: Mailgun, SendGrid, SparkPost, Unisender Go, Amazon SES."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs

from .dialect import FakeDialect, Keep, Sent, is_refused, lowered, mid_in, split_address
from .server import HttpRequest, Reply


def fill(text: str, pattern: str, values: Mapping[str, Any]) -> str:
    """The text with each field replaced by its value; an unknown one by nothing."""
    return re.sub(pattern, lambda match: str(values.get(match.group(1), "")), text)


class FakeMailgun(FakeDialect):
    """https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending"""

    kind = "mailgun"
    settings = {"sender_domain": "mg.example.com"}
    credentials = {"api_key": "key-fake-mailgun"}

    def address(self, url: str) -> dict[str, str]:
        return {"api_url": url + "/v3"}

    def authorised(self, request: HttpRequest) -> bool:
        pair = f"api:{self.credentials['api_key']}"
        return request.headers.get("authorization") == "Basic " + base64.b64encode(pair.encode()).decode()

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path != "/v3/mg.example.com/messages":
            return Reply(404, {"message": "Domain not found"})
        fields = parse_qs(request.body.decode(), keep_blank_values=True)
        if "from" not in fields:
            return Reply(400, {"message": "from parameter is missing"})
        addresses = [split_address(value)[1] for value in fields["to"]]
        if any(is_refused(address) for address in addresses):
            return Reply(400, {"message": "to parameter is not a valid address. please check documentation"})
        variables = json.loads(fields.get("recipient-variables", ["{}"])[0])
        for address in addresses:
            keep(self._sent(fields, address, variables.get(address, {})))
        return Reply(200, {"id": "<batch@mg.example.com>", "message": "Queued. Thank you."})

    def _sent(self, fields: Mapping[str, list[str]], address: str, variables: Mapping[str, Any]) -> Sent:
        merging = "recipient-variables" in fields
        one = {
            name: fill(values[0], r"%recipient\.([^%]+)%", variables) if merging else values[0]
            for name, values in fields.items()
        }
        return Sent(
            recipient=address,
            sender=one["from"],
            subject=one["subject"],
            html=one.get("html", ""),
            text=one.get("text", ""),
            headers={name[2:].lower(): value for name, value in one.items() if name.startswith("h:")},
            mid=one["v:mid"],
        )

    def unauthorised(self) -> Reply:
        return Reply(401, b"Forbidden")


class FakeSendGrid(FakeDialect):
    """https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send"""

    kind = "sendgrid"
    credentials = {"api_key": "SG.fake-key"}

    def address(self, url: str) -> dict[str, str]:
        return {"api_url": url + "/v3/"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.credentials['api_key']}"

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/v3/scopes":
            return Reply(200, {"scopes": ["mail.send"]})
        found = json.loads(request.body)
        people = found["personalizations"]
        if any(is_refused(person["to"][0]["email"]) for person in people):
            words = "Does not contain a valid address."
            return Reply(400, {"errors": [{"message": words, "field": "personalizations.0.to.0.email"}]})
        for person in people:
            keep(self._sent(found, person))
        return Reply(202, b"", {"X-Message-Id": "fake"})

    def _sent(self, found: Mapping[str, Any], person: Mapping[str, Any]) -> Sent:
        content = {part["type"]: part["value"] for part in found["content"]}

        def filled(text: str) -> str:
            for tag, value in person.get("substitutions", {}).items():
                text = text.replace(tag, value)
            return text

        return Sent(
            recipient=person["to"][0]["email"],
            sender=found["from"]["email"],
            subject=filled(found["subject"]),
            html=filled(content.get("text/html", "")),
            text=filled(content.get("text/plain", "")),
            headers=lowered({**found.get("headers", {}), **person.get("headers", {})}),
            mid={**found.get("custom_args", {}), **person.get("custom_args", {})}["mid"],
        )

    def unauthorised(self) -> Reply:
        return Reply(401, {"errors": [{"message": "The provided authorization grant is invalid", "field": None}]})


class FakeSparkPost(FakeDialect):
    """https://developers.sparkpost.com/api/transmissions/; bodies are templates, {{{ }}} is never escaped."""

    kind = "sparkpost"
    credentials = {"api_key": "fake-sparkpost-key"}

    def address(self, url: str) -> dict[str, str]:
        return {"api_url": url + "/api/v1/"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("authorization") == self.credentials["api_key"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        found = json.loads(request.body)
        if "recipients" not in found:
            return Reply(422, {"errors": [{"message": "required field is missing", "code": "1400"}]})
        people = found["recipients"]
        if any(is_refused(person["address"]["email"]) for person in people):
            words = {"message": "Invalid email address in recipients", "code": "5002"}
            return Reply(400, {"errors": [words]})
        for person in people:
            keep(self._sent(found, person))
        results = {"total_accepted_recipients": len(people), "total_rejected_recipients": 0, "id": "transmission-1"}
        return Reply(200, {"results": results})

    def _sent(self, found: Mapping[str, Any], person: Mapping[str, Any]) -> Sent:
        content = found["content"]
        values = {**found.get("substitution_data", {}), **person.get("substitution_data", {})}

        def filled(text: str) -> str:
            return fill(text, r"\{\{\{?(\w+)\}?\}\}", values)

        return Sent(
            recipient=person["address"]["email"],
            sender=content["from"],
            subject=filled(content["subject"]),
            html=filled(content.get("html", "")),
            text=filled(content.get("text", "")),
            headers=lowered({name: filled(value) for name, value in content.get("headers", {}).items()}),
            mid={**found.get("metadata", {}), **person.get("metadata", {})}["mid"],
        )

    def unauthorised(self) -> Reply:
        return Reply(401, {"errors": [{"message": "Unauthorized."}]})


class FakeUnisenderGo(FakeDialect):
    """https://godocs.unisender.ru/web-api-ref#email-send"""

    kind = "unisender_go"
    credentials = {"api_key": "fake-unisender-key"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("x-api-key") == self.credentials["api_key"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/system/info.json":
            return Reply(200, {"status": "success", "user_id": 11344})
        found = json.loads(request.body)["message"]
        failed = {p["email"]: "invalid" for p in found["recipients"] if is_refused(p["email"])}
        taken = [person for person in found["recipients"] if person["email"] not in failed]
        if not taken:
            words = {"status": "error", "code": 204, "message": "Error ID: 1. No valid recipients"}
            return Reply(400, {**words, "failed_emails": failed})
        for person in taken:
            keep(self._sent(found, person))
        emails = [person["email"] for person in taken]
        return Reply(200, {"status": "success", "job_id": "job-1", "emails": emails, "failed_emails": failed})

    def _sent(self, found: Mapping[str, Any], person: Mapping[str, Any]) -> Sent:
        values = person.get("substitutions", {})

        def filled(text: str) -> str:
            return text if found.get("template_engine") == "none" else fill(text, r"\{\{(\w+)\}\}", values)

        return Sent(
            recipient=person["email"],
            sender=found["from_email"],
            subject=filled(found["subject"]),
            html=filled(found["body"].get("html", "")),
            text=filled(found["body"].get("plaintext", "")),
            headers=lowered({name: filled(value) for name, value in found.get("headers", {}).items()}),
            mid={**found.get("global_metadata", {}), **person.get("metadata", {})}["mid"],
            key=found.get("idempotence_key", ""),
        )

    def unauthorised(self) -> Reply:
        return Reply(401, {"status": "error", "message": "Error ID: 2. User with id '1' not found", "code": 114})


class FakeAmazonSes(FakeDialect):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/: SendEmail (raw), SendBulkEmail, GetAccount."""

    kind = "amazon_ses"
    settings = {"access_key_id": "AKIAFAKEFAKEFAKE", "region": "eu-central-1"}
    credentials = {"secret_access_key": "fake-secret-access-key"}

    def authorised(self, request: HttpRequest) -> bool:
        return f"Credential={self.settings['access_key_id']}/" in request.headers.get("authorization", "")

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/v2/email/account":
            quota = {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0}
            return Reply(200, {"ProductionAccessEnabled": True, "SendingEnabled": True, "SendQuota": quota})
        found = json.loads(request.body)
        if request.path == "/v2/email/outbound-bulk-emails":
            entries = [self._entry(found, entry, keep) for entry in found["BulkEmailEntries"]]
            return Reply(200, {"BulkEmailEntryResults": entries})
        raw = email.message_from_bytes(base64.b64decode(found["Content"]["Raw"]["Data"]), policy=email.policy.default)
        if is_refused(found["Destination"]["ToAddresses"][0]):
            return self._error(400, "BadRequestException", "Illegal address: invalid recipient")
        return Reply(200, {"MessageId": keep(_parsed(raw, found["Destination"]["ToAddresses"][0]))})

    def _entry(self, found: Mapping[str, Any], entry: Mapping[str, Any], keep: Keep) -> dict[str, str]:
        address = split_address(entry["Destination"]["ToAddresses"][0])[1]
        if is_refused(address):
            return {"Status": "INVALID_PARAMETER", "Error": "Invalid recipient address"}
        template = found["DefaultContent"]["Template"]["TemplateContent"]
        values = json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])
        headers = lowered({header["Name"]: header["Value"] for header in entry.get("ReplacementHeaders", ())})

        def filled(name: str) -> str:
            return fill(template.get(name, ""), r"\{\{(\w+)\}\}", values)

        sent = Sent(
            recipient=address,
            sender=found["FromEmailAddress"],
            subject=filled("Subject"),
            html=filled("Html"),
            text=filled("Text"),
            headers=headers,
            mid=mid_in(headers.get("x-metadata")),
        )
        return {"Status": "SUCCESS", "MessageId": keep(sent)}

    def _error(self, status: int, code: str, words: str) -> Reply:
        return Reply(status, {"message": words}, {"x-amzn-errortype": code})

    def unauthorised(self) -> Reply:
        return self._error(403, "UnrecognizedClientException", "The security token included in the request is invalid.")

    def rate_limited(self) -> Reply:
        return self._error(429, "TooManyRequestsException", "Maximum sending rate exceeded.")

    def server_error(self) -> Reply:
        return self._error(500, "InternalFailure", "internal error")


def _parsed(raw: EmailMessage, address: str) -> Sent:
    """A message out of its MIME form."""
    html, text = raw.get_body(("html",)), raw.get_body(("plain",))
    headers = lowered(dict(raw.items()))
    return Sent(
        recipient=address,
        sender=str(raw["From"]),
        subject=str(raw["Subject"]),
        html=html.get_content().rstrip("\n") if html else "",
        text=text.get_content().rstrip("\n") if text else "",
        headers=headers,
        mid=mid_in(headers.get("x-metadata")),
    )
