"""Fakes of the providers that take one message per call: MailerSend, Mandrill, Postal, Scaleway, the Chinese ones."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import parse_qsl

from .dialect import FakeDialect, Keep, Sent, is_refused, lowered, mid_in, split_address
from .server import HttpRequest, Reply


class FakeMailerSend(FakeDialect):
    """https://developers.mailersend.com/api/v1/email.html#send-an-email"""

    kind = "mailersend"
    credentials = {"api_token": "mlsn.fake-token"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.credentials['api_token']}"

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/api-quota":
            return Reply(200, {"quota": 100000, "remaining": 99000})
        found = json.loads(request.body)
        address = found["to"][0]["email"]
        if is_refused(address):
            words = "The to.0.email must be a valid email address: it is invalid."
            return Reply(422, {"message": words, "errors": {"to.0.email": [words]}})
        sent = Sent(
            recipient=address,
            sender=found["from"]["email"],
            subject=found["subject"],
            html=found.get("html", ""),
            text=found.get("text", ""),
            headers=lowered({header["name"]: header["value"] for header in found.get("headers", ())}),
        )
        return Reply(202, b"", {"X-Message-Id": keep(sent)})

    def unauthorised(self) -> Reply:
        return Reply(401, {"message": "Unauthenticated."})


class FakeMandrill(FakeDialect):
    """https://mailchimp.com/developer/transactional/api/messages/send-new-message/; every error is an HTTP 500."""

    kind = "mandrill"
    credentials = {"api_key": "md-fake-key"}

    def address(self, url: str) -> dict[str, str]:
        return {"api_url": url + "/api/1.0/"}

    def authorised(self, request: HttpRequest) -> bool:
        return bool(json.loads(request.body)["key"] == self.credentials["api_key"])

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path.endswith("/users/ping2.json"):
            return Reply(200, {"PING": "PONG!"})
        found = json.loads(request.body)["message"]
        address = found["to"][0]["email"]
        if is_refused(address):
            return Reply(200, [{"email": address, "status": "invalid", "reject_reason": None}])
        sent = Sent(
            recipient=address,
            sender=found["from_email"],
            subject=found["subject"],
            html=found.get("html", ""),
            text=found.get("text", ""),
            headers=lowered(found.get("headers")),
            mid=found["metadata"]["mid"],
        )
        return Reply(200, [{"email": address, "status": "sent", "_id": keep(sent), "reject_reason": None}])

    def unauthorised(self) -> Reply:
        return Reply(500, {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"})


class FakePostal(FakeDialect):
    """https://apiv1.postalserver.io/controllers/send/message; every error is an HTTP 200."""

    kind = "postal"
    credentials = {"api_key": "fake-postal-key"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("x-server-api-key") == self.credentials["api_key"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        found = json.loads(request.body)
        if not found.get("to"):
            return self._error("NoRecipients", "There are no recipients defined to receive this message")
        address = split_address(found["to"][0])[1]
        if is_refused(address):
            return self._error("ValidationError", f"The provided address {address} is an invalid recipient")
        sent = Sent(
            recipient=address,
            sender=found["from"],
            subject=found["subject"],
            html=found.get("html_body", ""),
            text=found.get("plain_body", ""),
            headers=lowered(found.get("headers")),
            mid=found["tag"],
        )
        messages = {address: {"id": keep(sent), "token": "abc"}}
        return Reply(200, {"status": "success", "data": {"message_id": "m@rp.example.com", "messages": messages}})

    def _error(self, code: str, words: str) -> Reply:
        return Reply(200, {"status": "error", "time": 0.0, "data": {"code": code, "message": words}})

    def unauthorised(self) -> Reply:
        return self._error("InvalidServerAPIKey", "The API token provided in X-Server-API-Key was not valid.")


class FakeScaleway(FakeDialect):
    """https://www.scaleway.com/en/developers/api/transactional-email/#path-emails-send-an-email"""

    kind = "scaleway"
    settings = {"project_id": "11111111-1111-1111-1111-111111111111"}
    credentials = {"secret_key": "fake-scaleway-key"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("x-auth-token") == self.credentials["secret_key"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.method == "GET":
            return Reply(200, {"total_count": 0, "emails": []})
        found = json.loads(request.body)
        address = found["to"][0]["email"]
        if is_refused(address):
            return Reply(400, {"type": "invalid_arguments", "message": "invalid recipient: to.email is not valid"})
        headers = lowered({header["key"]: header["value"] for header in found.get("additional_headers", ())})
        sent = Sent(
            recipient=address,
            sender=found["from"]["email"],
            subject=found["subject"],
            html=found.get("html", ""),
            text=found.get("text", ""),
            headers=headers,
            mid=mid_in(headers.get("x-metadata")),
        )
        return Reply(200, {"emails": [{"id": keep(sent), "mail_rcpt": address, "status": "new"}]})

    def unauthorised(self) -> Reply:
        return Reply(401, {"type": "denied_authentication", "message": "authentication is denied"})


class FakeAokSend(FakeDialect):
    """https://www.aoksend.com/api.html; the code is a number in one answer and a string in the next."""

    kind = "aoksend"
    settings = {"template_id": "E_1234567890"}
    credentials = {"app_key": "fake-aoksend-key"}

    def __init__(self) -> None:
        self._n_answers = 0

    def authorised(self, request: HttpRequest) -> bool:
        return request.form.get("app_key") == self.credentials["app_key"]

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.path == "/check_account":
            return self._answer(200, "请求成功", account="4321")
        fields = request.form
        if is_refused(fields.get("to", "")):
            return self._answer(40005, "收件人地址to格式错误")
        if not fields.get("template_id", "").startswith("E_"):
            return self._answer(40003, "模板ID错误")
        data = json.loads(fields["data"])
        if any(ord(c) > 0xFFFF for c in fields["data"]):
            return Reply(500, b"")
        identity = keep(Sent(fields["to"], fields.get("alias", ""), template_id=fields["template_id"], variables=data))
        return self._answer(200, "请求成功", msg_id=identity)

    def _answer(self, code: int, words: str, **more: str) -> Reply:
        self._n_answers += 1
        return Reply(200, {"code": code if self._n_answers % 2 else str(code), "message": words, **more})

    def unauthorised(self) -> Reply:
        return self._answer(40002, "app_key错误")


class FakeAlibaba(FakeDialect):
    """https://www.alibabacloud.com/help/en/direct-mail/api-dm-2015-11-23-singlesendmail"""

    kind = "alibaba"
    settings = {"access_key_id": "LTAIfakefake"}
    credentials = {"access_key_secret": "fake-alibaba-secret"}

    def authorised(self, request: HttpRequest) -> bool:
        wanted = f"ACS3-HMAC-SHA256 Credential={self.settings['access_key_id']},"
        digest = hashlib.sha256(request.body).hexdigest()
        return (
            request.headers.get("authorization", "").startswith(wanted)
            and request.headers.get("x-acs-content-sha256") == digest
        )

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.headers["x-acs-action"] == "DescAccountSummary":
            return Reply(200, {"DailyQuota": 2000, "QuotaLevel": 1, "RequestId": "r"})
        fields = dict(parse_qsl(request.body.decode()))
        if is_refused(fields["ToAddress"]):
            return self._error(400, "InvalidToAddress", "The specified ToAddress is wrong.")
        headers = lowered(json.loads(fields["Headers"]))
        sent = Sent(
            recipient=fields["ToAddress"],
            sender=fields["AccountName"],
            subject=fields["Subject"],
            html=fields.get("HtmlBody", ""),
            text=fields.get("TextBody", ""),
            headers=headers,
            mid=headers["x-user-mid"],
        )
        return Reply(200, {"EnvId": keep(sent), "RequestId": "r"})

    def _error(self, status: int, code: str, words: str) -> Reply:
        return Reply(status, {"Code": code, "Message": words, "RequestId": "r"})

    def unauthorised(self) -> Reply:
        return self._error(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")

    def rate_limited(self) -> Reply:
        return self._error(400, "Throttling.User", "Request was denied due to user flow control.")

    def server_error(self) -> Reply:
        return self._error(500, "InternalError", "The request processing has failed due to some unknown error.")


class FakeTencent(FakeDialect):
    """https://www.tencentcloud.com/document/product/1084/39408; every error is an HTTP 200."""

    kind = "tencent"
    settings = {"secret_id": "AKIDfakefake", "template_id": "100091"}
    credentials = {"secret_key": "fake-tencent-secret"}

    def authorised(self, request: HttpRequest) -> bool:
        wanted = f"TC3-HMAC-SHA256 Credential={self.settings['secret_id']}/"
        return request.headers.get("authorization", "").startswith(wanted)

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        if request.headers["x-tc-action"] == "ListEmailIdentities":
            return Reply(200, {"Response": {"EmailIdentities": [], "RequestId": "r"}})
        found = json.loads(request.body)
        address = found["Destination"][0]
        if is_refused(address):
            return self._error("InvalidParameterValue.ReceiverEmailInvalid", "收件人地址错误。")
        headers = lowered(json.loads(found["SmtpHeaders"]))
        sent = Sent(
            recipient=address,
            sender=found["FromEmailAddress"],
            subject=found["Subject"],
            headers=headers,
            mid=headers["x-tencentcloudses-cb-custom"],
            template_id=str(found["Template"]["TemplateID"]),
            variables=json.loads(found["Template"]["TemplateData"]),
        )
        return Reply(200, {"Response": {"MessageId": keep(sent), "RequestId": "r"}})

    def _error(self, code: str, words: str) -> Reply:
        return Reply(200, {"Response": {"Error": {"Code": code, "Message": words}, "RequestId": "r"}})

    def unauthorised(self) -> Reply:
        return self._error("AuthFailure.SecretIdNotFound", "The SecretId is not found")

    def rate_limited(self) -> Reply:
        return self._error("RequestLimitExceeded", "Your current request times equals to `21` in a second")

    def server_error(self) -> Reply:
        return self._error("InternalError", "An internal error has occurred.")


class FakeGeneric(FakeDialect):
    """An API that nobody knows, spoken to by the form's sample body."""

    kind = "generic_http"
    settings = {
        "auth": "bearer",
        "success_path": "status",
        "success_value": "ok",
        "id_path": "data.id",
        "event_fields": "kind: kind\nid: id\nprovider_id: message\nrecipient: to\ntime: at\nreply: why",
        "event_kinds": "delivered: delivered\nhard: bounced hard\nsoft: bounced soft\ncomplained: complained\n"
        "unsubscribed: unsubscribed",
    }
    credentials = {"secret": "fake-generic-token"}

    def address(self, url: str) -> dict[str, str]:
        return {"url": url + "/send"}

    def authorised(self, request: HttpRequest) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.credentials['secret']}"

    def take(self, request: HttpRequest, keep: Keep) -> Reply:
        found = json.loads(request.body)
        address = found["to"][0]["email"]
        if is_refused(address):
            return Reply(400, {"status": "error", "message": f"invalid recipient address {address}"})
        sent = Sent(
            recipient=address,
            sender=found["from"]["email"],
            subject=found["subject"],
            html=found["html"],
            text=found["text"],
            headers=lowered(found["headers"]),
        )
        return Reply(200, {"status": "ok", "data": {"id": keep(sent)}})
