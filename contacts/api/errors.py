"""How the API says no: one exception, and its JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    503: "unavailable",
}


class ApiError(Exception):
    """A request is refused with a status, words for people, and details where there are any."""

    def __init__(self, status: int, error: str, **details: Any) -> None:
        super().__init__(error)
        self.status, self.error, self.details = status, error, details


def refusal(status: int, error: str, **details: Any) -> HttpResponse:
    """`{"error": "…", "code": "…"}` with its status."""
    answer = JsonResponse({"error": error, "code": CODES.get(status, "error"), **details}, status=status)
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"  # RFC 6750 section 3
    return answer


def answer_errors(api: NinjaAPI) -> None:
    """Every refusal of the API has the documented form."""

    @api.exception_handler(ApiError)
    def refused(_request: HttpRequest, error: ApiError) -> HttpResponse:
        return refusal(error.status, error.error, **error.details)

    @api.exception_handler(AuthenticationError)
    def unknown_key(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return refusal(401, "Send a valid API key as: Authorization: Bearer ff_…")

    @api.exception_handler(HttpError)
    def refused_by_ninja(_request: HttpRequest, error: HttpError) -> HttpResponse:
        return refusal(error.status_code, error.message)

    @api.exception_handler(ValidationError)
    def invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        problems = [
            {"field": ".".join(str(part) for part in problem["loc"][2:]), "error": problem["msg"]}
            for problem in error.errors
        ]
        return refusal(422, "The request does not have the documented form.", errors=problems)
