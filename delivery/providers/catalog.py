"""All ways of sending through an API that the admin can pick; what needs Django is imported when one is built."""

from __future__ import annotations

from . import alibaba, aoksend, generic_http, tencent
from .contract import Account, Provider, ProviderKind
from .esps.amazon_ses import AmazonSes
from .esps.brevo import Brevo
from .esps.dialect import Dialect
from .esps.mailersend import MailerSend
from .esps.mailgun import Mailgun
from .esps.mailjet import Mailjet
from .esps.mailtrap import Mailtrap
from .esps.mandrill import Mandrill
from .esps.postal import Postal
from .esps.postmark import Postmark
from .esps.resend import Resend
from .esps.scaleway import Scaleway
from .esps.sendgrid import SendGrid
from .esps.sparkpost import SparkPost
from .esps.unisender_go import UnisenderGo

DIALECTS: tuple[Dialect, ...] = (
    AmazonSes(),
    Brevo(),
    MailerSend(),
    Mailgun(),
    Mailjet(),
    Mailtrap(),
    Mandrill(),
    Postal(),
    Postmark(),
    Resend(),
    Scaleway(),
    SendGrid(),
    SparkPost(),
    UnisenderGo(),
)


class ThroughAnymail:
    """Builds providers of one ESP; see contract.Factory."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __call__(self, account: Account) -> Provider:
        from .esps.sending import AnymailProvider

        self._dialect.backend_options(account)
        return AnymailProvider(self._dialect, account)


def _kind(dialect: Dialect) -> ProviderKind:
    return ProviderKind(
        key=dialect.key,
        label=dialect.label,
        capabilities=dialect.capabilities,
        fields=dialect.fields,
        factory=ThroughAnymail(dialect),
        docs_url=dialect.docs_url,
        spf_include=dialect.spf_include,
        follow_up=dialect.follow_up,
        greets=dialect.greets,
        secret_problem=dialect.secret_problem,
    )


PROVIDERS: dict[str, ProviderKind] = {
    kind.key: kind for kind in (*map(_kind, DIALECTS), aoksend.KIND, alibaba.KIND, tencent.KIND, generic_http.KIND)
}
