"""Fakes of the providers whose batch call takes whole messages: Resend, Postmark, Mailjet, Mailtrap, Brevo."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from .dialect import RETRY_AFTER, FakeDialect, Keep, Sent, is_refused, lowered, mid_in, split_address
from .server import HttpRequest, Reply


class FakeResend(FakeDialect):
    """https://resend.com/docs/api-reference/emails/send-batch-emails"""

    kind = "resend"
    credentials = {"api_key": "re_fake_key_1234"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.credentials['api_key']}"

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/domains":
            return Reply(200, {"data": []})
        found = json.loads(request.body)
        key = request.headers.get("idempotency-key", "")
        if request.path == "/emails":
            return self._one(found, key, keep)
        ids, errors = [], []
        for index, item in enumerate(found):
            if is_refused(split_address(item["to"][0])[1]):
                errors.append({"index": index, "message": "Invalid `to` field. The email address is invalid."})
            else:
                ids.append({"id": keep(self._sent(item, key))})
        if errors and request.headers.get("x-batch-validation") != "permissive":
            return Reply(422, {"statusCode": 422, "name": "validation_error", "message": errors[0]["message"]})
        return Reply(200, {"data": ids, "errors": errors})

    def _one(self, item: Mapping[str, Any], key: str, keep: Keep) -> Reply:
        if is_refused(split_address(item["to"][0])[1]):
            words = "Invalid `to` field. The email address is invalid."
            return Reply(422, {"statusCode": 422, "name": "validation_error", "message": words})
        return Reply(200, {"id": keep(self._sent(item, key))})

    def _sent(self, item: Mapping[str, Any], key: str) -> Sent:
        headers = lowered(item.get("headers"))
        return Sent(
            recipient=split_address(item["to"][0])[1],
            sender=item["from"],
            subject=item["subject"],
            html=item.get("html", ""),
            text=item.get("text", ""),
            headers=headers,
            mid=mid_in(headers.get("x-metadata")),
            key=key,
        )

    def unauthorised(self) -> Reply:
        return Reply(401, {"statusCode": 401, "name": "validation_error", "message": "API key is invalid"})


class FakePostmark(FakeDialect):
    """https://postmarkapp.com/developer/api/email-api#send-batch-emails"""

    kind = "postmark"
    credentials = {"server_token": "fake-server-token"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("x-postmark-server-token") == self.credentials["server_token"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/server":
            return Reply(200, {"ID": 1, "Name": "Fake"})
        found = json.loads(request.body)
        if request.path == "/email":
            answer = self._one(found, keep)
            return Reply(422 if answer["ErrorCode"] else 200, answer)
        return Reply(200, [self._one(item, keep) for item in found])

    def _one(self, item: Mapping[str, Any], keep: Keep) -> dict[str, Any]:
        address = split_address(item["To"])[1]
        if is_refused(address):
            return {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{address}'."}
        sent = Sent(
            recipient=address,
            sender=item["From"],
            subject=item["Subject"],
            html=item.get("HtmlBody", ""),
            text=item.get("TextBody", ""),
            headers=lowered({header["Name"]: header["Value"] for header in item.get("Headers", ())}),
            mid=item["Metadata"]["mid"],
        )
        return {"ErrorCode": 0, "Message": "OK", "To": item["To"], "MessageID": keep(sent)}

    def unauthorised(self) -> Reply:
        return Reply(401, {"ErrorCode": 10, "Message": "The Server Token you provided was invalid."})


class FakeMailjet(FakeDialect):
    """https://dev.mailjet.com/email/reference/send-emails/#v3_1_post_send"""

    kind = "mailjet"
    credentials = {"api_key": "fake-public-key", "secret_key": "fake-private-key"}

    def address(self, url: str) -> dict[str, str]:
        return {"api_url": url + "/v3.1/"}

    def authorised(self, request: HttpRequest) -> bool:
        pair = f"{self.credentials['api_key']}:{self.credentials['secret_key']}"
        return request.headers.get("authorization") == "Basic " + base64.b64encode(pair.encode()).decode()

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/v3/REST/sender":
            return Reply(200, {"Count": 1, "Data": [{"Email": "news@example.com"}]})
        found = json.loads(request.body)
        shared = found.get("Globals", {})
        answers = [self._one({**shared, **item}, keep) for item in found["Messages"]]
        return Reply(400 if any(answer["Status"] == "error" for answer in answers) else 200, {"Messages": answers})

    def _one(self, item: Mapping[str, Any], keep: Keep) -> dict[str, Any]:
        address = item["To"][0]["Email"]
        if is_refused(address):
            error = {
                "ErrorCode": "mj-0013",
                "StatusCode": 400,
                "ErrorMessage": f'"{address}" is an invalid email address.',
                "ErrorRelatedTo": ["To[0].Email"],
            }
            return {"Status": "error", "Errors": [error]}
        sent = Sent(
            recipient=address,
            sender=item["From"]["Email"],
            subject=item["Subject"],
            html=item.get("HTMLPart", ""),
            text=item.get("TextPart", ""),
            headers=lowered(item.get("Headers")),
            mid=mid_in(item.get("EventPayload")),
        )
        return {"Status": "success", "To": [{"Email": address, "MessageID": keep(sent)}]}

    def unauthorised(self) -> Reply:
        return Reply(401, {"ErrorIdentifier": "-", "StatusCode": 401, "ErrorMessage": "API key authentication failed"})


class FakeMailtrap(FakeDialect):
    """https://docs.mailtrap.io/developers/email-sending/transactional"""

    kind = "mailtrap"
    credentials = {"api_token": "fake-mailtrap-token"}

    def address(self, url: str) -> dict[str, str]:
        return {"api_url": url + "/api/"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("api-token") == self.credentials["api_token"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        found = json.loads(request.body)
        if request.path == "/api/batch":
            shared = found.get("base", {})
            return Reply(
                200, {"success": True, "responses": [self._one({**shared, **r}, keep) for r in found["requests"]]}
            )
        if "from" not in found:
            return Reply(400, {"success": False, "errors": ["'from' is required"]})
        answer = self._one(found, keep)
        return Reply(200 if answer["success"] else 400, answer)

    def _one(self, item: Mapping[str, Any], keep: Keep) -> dict[str, Any]:
        address = item["to"][0]["email"]
        if is_refused(address):
            return {"success": False, "errors": ["'to' address is invalid"]}
        sent = Sent(
            recipient=address,
            sender=item["from"]["email"],
            subject=item["subject"],
            html=item.get("html", ""),
            text=item.get("text", ""),
            headers=lowered(item.get("headers")),
            mid=item["custom_variables"]["mid"],
        )
        return {"success": True, "message_ids": [keep(sent)]}

    def unauthorised(self) -> Reply:
        return Reply(401, {"success": False, "errors": ["Unauthorized"]})


class FakeBrevo(FakeDialect):
    """https://developers.brevo.com/reference/sendtransacemail; one bad version refuses the call."""

    kind = "brevo"
    credentials = {"api_key": "xkeysib-fake"}

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("api-key") == self.credentials["api_key"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/account":
            return Reply(200, {"email": "owner@example.com"})
        found = json.loads(request.body)
        key = found.get("headers", {}).get("idempotencyKey", "")
        if key in self._keys:
            return Reply(400, {"code": "duplicate_parameter", "message": "idempotencyKey was used before"})
        versions = found.get("messageVersions")
        items = [{**found, **version} for version in versions] if versions else [found]
        if any(is_refused(item["to"][0]["email"]) for item in items):
            return Reply(400, {"code": "invalid_parameter", "message": "email is not valid in to"})
        self._keys.add(key)
        ids = [keep(self._sent(item, key)) for item in items]
        return Reply(201, {"messageIds": ids} if versions else {"messageId": ids[0]})

    def _sent(self, item: Mapping[str, Any], key: str) -> Sent:
        headers = lowered(item.get("headers"))
        return Sent(
            recipient=item["to"][0]["email"],
            sender=item["sender"]["email"],
            subject=item["subject"],
            html=item.get("htmlContent", ""),
            text=item.get("textContent", ""),
            headers={name: value for name, value in headers.items() if name != "idempotencykey"},
            mid=mid_in(headers.get("x-mailin-custom")),
            key=key,
        )

    def unauthorised(self) -> Reply:
        return Reply(401, {"code": "unauthorized", "message": "Key not found"})

    def rate_limited(self) -> Reply:
        return Reply(429, {"code": "too_many_requests"}, {"x-sib-ratelimit-reset": str(RETRY_AFTER)})
