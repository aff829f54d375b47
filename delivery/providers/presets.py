"""Known SMTP relays: where they listen, what they allow, what their sending domain needs (read 2026-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .contract import Quota


class Tls(StrEnum):
    """How the connection is protected: from its first byte (RFC 8314), or by STARTTLS after the greeting."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"


@dataclass(frozen=True, slots=True)
class SmtpPreset:
    """An SMTP relay as the "add a provider" form offers it; `regions` are other hosts by the name of their region.

    `quotas` are the published ones; what an account was really granted may be more or less.
    """

    key: str
    label: str
    host: str
    port: int
    tls: Tls
    username_help: str
    docs_url: str
    regions: Mapping[str, str] = field(default_factory=dict)
    other_ports: tuple[int, ...] = ()
    quotas: tuple[Quota, ...] = ()
    messages_per_connection: int = 100
    max_connections: int = 10
    spf_include: str = ""
    notes: str = ""

    def host_in(self, region: str = "") -> str:
        """The host of a region, or the usual one. ValueError for an unknown region."""
        if region and region not in self.regions:
            raise ValueError(f"{self.label} has no region {region!r}; there are {', '.join(self.regions) or 'none'}.")
        return self.regions.get(region, self.host)


DAY = 86_400
AWS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-northeast-1")

SMTP_PRESETS: dict[str, SmtpPreset] = {
    preset.key: preset
    for preset in (
        SmtpPreset(
            "aoksend",
            "AokSend",
            "smtp.aoksend.com",
            587,
            Tls.STARTTLS,
            "The sender address made in AokSend's console",
            "https://www.aoksend.com/",
            spf_include="spf.mailzos.com",
            notes="Use a subdomain of its own: the MX record that AokSend asks for takes a domain's incoming mail.",
        ),
        SmtpPreset(
            "gmail",
            "Gmail",
            "smtp.gmail.com",
            465,
            Tls.IMPLICIT,
            "The Gmail address; the password is an app password",
            "https://support.google.com/mail/answer/22839",
            other_ports=(587,),
            quotas=(Quota(500, DAY),),
            max_connections=2,
            spf_include="_spf.google.com",
            notes="For a few people, not for campaigns.",
        ),
        SmtpPreset(
            "google_workspace",
            "Google Workspace relay",
            "smtp-relay.gmail.com",
            587,
            Tls.STARTTLS,
            "A Workspace user, or none where the relay allows your IP address",
            "https://support.google.com/a/answer/2956491",
            other_ports=(465,),
            quotas=(Quota(10_000, DAY, per="user"),),
            spf_include="_spf.google.com",
        ),
        SmtpPreset(
            "microsoft_365",
            "Microsoft 365",
            "smtp.office365.com",
            587,
            Tls.STARTTLS,
            "The mailbox address; SMTP AUTH must be allowed for it",
            "https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
            quotas=(Quota(30, 60), Quota(10_000, DAY, "recipients")),
            max_connections=3,
            spf_include="spf.protection.outlook.com",
            notes="Basic authentication is being retired; check that it still works for your tenant.",
        ),
        SmtpPreset(
            "outlook",
            "Outlook.com",
            "smtp-mail.outlook.com",
            587,
            Tls.STARTTLS,
            "The Outlook.com address",
            "https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040",
            quotas=(Quota(300, DAY, "recipients"),),
            max_connections=1,
            spf_include="spf.protection.outlook.com",
            notes="For a few people, not for campaigns.",
        ),
        SmtpPreset(
            "qq",
            "QQ Mail",
            "smtp.qq.com",
            465,
            Tls.IMPLICIT,
            "The QQ address; the password is an authorisation code",
            "https://service.mail.qq.com/detail/0/75",
            other_ports=(587,),
            messages_per_connection=8,
            max_connections=1,
            spf_include="spf.mail.qq.com",
            notes="For a few people, not for campaigns.",
        ),
        SmtpPreset(
            "exmail",
            "Tencent Exmail",
            "smtp.exmail.qq.com",
            465,
            Tls.IMPLICIT,
            "The mailbox address; the password is a client password",
            "https://open.work.weixin.qq.com/help2/pc/19886",
            quotas=(Quota(1_000, DAY, per="mailbox"),),
            max_connections=2,
            spf_include="spf.mail.qq.com",
        ),
        SmtpPreset(
            "163",
            "NetEase 163",
            "smtp.163.com",
            465,
            Tls.IMPLICIT,
            "The 163 address; the password is an authorisation code",
            "https://help.mail.163.com/",
            other_ports=(994,),
            messages_per_connection=7,
            max_connections=1,
            spf_include="spf.163.com",
            notes="For a few people, not for campaigns.",
        ),
        SmtpPreset(
            "zoho",
            "Zoho Mail",
            "smtp.zoho.com",
            465,
            Tls.IMPLICIT,
            "The mailbox address; the password may be an app password",
            "https://www.zoho.com/mail/help/zoho-smtp.html",
            other_ports=(587,),
            max_connections=2,
            spf_include="zohomail.com",
            regions={
                "US": "smtp.zoho.com",
                "EU": "smtp.zoho.eu",
                "India": "smtp.zoho.in",
                "China": "smtp.zoho.com.cn",
            },
        ),
        SmtpPreset(
            "amazon_ses",
            "Amazon SES",
            "email-smtp.us-east-1.amazonaws.com",
            587,
            Tls.STARTTLS,
            "The SMTP user name of SES, not an access key",
            "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
            regions={region: f"email-smtp.{region}.amazonaws.com" for region in AWS},
            other_ports=(465, 2587, 2465),
            quotas=(Quota(14, 1, per="account (as granted)"),),
            spf_include="amazonses.com",
        ),
        SmtpPreset(
            "sendgrid",
            "SendGrid",
            "smtp.sendgrid.net",
            587,
            Tls.STARTTLS,
            "apikey, the word itself; the password is the API key",
            "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
            other_ports=(465, 2525),
            messages_per_connection=5_000,
            spf_include="sendgrid.net",
        ),
        SmtpPreset(
            "mailgun",
            "Mailgun",
            "smtp.mailgun.org",
            587,
            Tls.STARTTLS,
            "postmaster@ your sending domain",
            "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp",
            regions={"US": "smtp.mailgun.org", "EU": "smtp.eu.mailgun.org"},
            other_ports=(465, 2525),
            messages_per_connection=3,
            spf_include="mailgun.org",
        ),
        SmtpPreset(
            "brevo",
            "Brevo",
            "smtp-relay.brevo.com",
            587,
            Tls.STARTTLS,
            "The SMTP login; the password is an SMTP key",
            "https://developers.brevo.com/docs/smtp-integration",
            other_ports=(465, 2525),
            spf_include="spf.brevo.com",
        ),
        SmtpPreset(
            "postmark",
            "Postmark (broadcast)",
            "smtp-broadcasts.postmarkapp.com",
            587,
            Tls.STARTTLS,
            "The access key of a Broadcast stream's SMTP token",
            "https://postmarkapp.com/developer/user-guide/send-email-with-smtp",
            other_ports=(2525,),
            spf_include="spf.mtasv.net",
            notes="smtp.postmarkapp.com is for transactional mail.",
        ),
        SmtpPreset(
            "mailjet",
            "Mailjet",
            "in-v3.mailjet.com",
            587,
            Tls.STARTTLS,
            "The API key; the password is the secret key",
            "https://dev.mailjet.com/smtp-relay/configuration/",
            other_ports=(465, 2525),
            spf_include="spf.mailjet.com",
        ),
        SmtpPreset(
            "sparkpost",
            "SparkPost",
            "smtp.sparkpostmail.com",
            587,
            Tls.STARTTLS,
            "SMTP_Injection; the password is an API key",
            "https://developers.sparkpost.com/api/smtp/",
            other_ports=(2525,),
            spf_include="sparkpostmail.com",
            regions={"US": "smtp.sparkpostmail.com", "EU": "smtp.eu.sparkpostmail.com"},
        ),
        SmtpPreset(
            "mailersend",
            "MailerSend",
            "smtp.mailersend.net",
            587,
            Tls.STARTTLS,
            "The SMTP user made in the console",
            "https://www.mailersend.com/help/smtp-relay",
            other_ports=(2525,),
            quotas=(Quota(120, 60),),
            spf_include="_spf.mailersend.net",
        ),
        SmtpPreset(
            "mandrill",
            "Mandrill",
            "smtp.mandrillapp.com",
            587,
            Tls.STARTTLS,
            "Any word; the password is an API key",
            "https://mailchimp.com/developer/transactional/docs/smtp-integration/",
            other_ports=(465, 2525),
            spf_include="spf.mandrillapp.com",
        ),
        SmtpPreset(
            "mailtrap",
            "Mailtrap (bulk)",
            "bulk.smtp.mailtrap.io",
            587,
            Tls.STARTTLS,
            "api; the password is an API token",
            "https://docs.mailtrap.io/email-api-smtp/setup/smtp-integration",
            other_ports=(2525,),
            spf_include="_spf.smtp.mailtrap.live",
            notes="live.smtp.mailtrap.io is for transactional mail.",
        ),
        SmtpPreset(
            "resend",
            "Resend",
            "smtp.resend.com",
            465,
            Tls.IMPLICIT,
            "resend; the password is an API key",
            "https://resend.com/docs/send-with-smtp",
            other_ports=(587, 2465, 2587),
            quotas=(Quota(2, 1),),
            spf_include="amazonses.com",
        ),
        SmtpPreset(
            "scaleway",
            "Scaleway TEM",
            "smtp.tem.scaleway.com",
            465,
            Tls.IMPLICIT,
            "The project ID; the password is a secret key",
            "https://www.scaleway.com/en/docs/transactional-email/reference-content/smtp-configuration/",
            other_ports=(587, 2465, 2587),
            spf_include="_spf.tem.scaleway.com",
        ),
        SmtpPreset(
            "alibaba",
            "Alibaba Cloud DirectMail",
            "smtpdm.aliyun.com",
            465,
            Tls.IMPLICIT,
            "The sender address; its SMTP password is set in the console",
            "https://www.alibabacloud.com/help/en/direct-mail/smtp-endpoints",
            regions={
                "cn-hangzhou": "smtpdm.aliyun.com",
                "ap-southeast-1": "smtpdm-ap-southeast-1.aliyuncs.com",
                "us-east-1": "smtpdm-us-east-1.aliyuncs.com",
                "eu-central-1": "smtpdm-eu-central-1.aliyuncs.com",
            },
            other_ports=(80,),
            quotas=(Quota(5_000, 180), Quota(50, 300, per="recipient")),
            spf_include="spf1.dm.aliyun.com",
            notes="Port 25 is closed on Alibaba's own servers.",
        ),
        SmtpPreset(
            "tencent",
            "Tencent Cloud SES",
            "gz-smtp.qcloudmail.com",
            465,
            Tls.IMPLICIT,
            "The sender address; its SMTP password is set in the console",
            "https://www.tencentcloud.com/document/product/1084/39456",
            regions={
                "ap-guangzhou": "gz-smtp.qcloudmail.com",
                "ap-hongkong": "smtp.qcloudmail.com",
                "ap-singapore": "sg-smtp.qcloudmail.com",
            },
            other_ports=(587,),
            quotas=(Quota(20, 1), Quota(10, 3600, per="recipient"), Quota(500, DAY, per="new account")),
            spf_include="qcloudmail.com",
            notes="Marketing mail by SMTP must use an approved template's content.",
        ),
        SmtpPreset(
            "unisender_go",
            "Unisender Go",
            "smtp.go1.unisender.ru",
            587,
            Tls.STARTTLS,
            "The user or project ID; the password is an API key",
            "https://godocs.unisender.ru/smtp-api",
            regions={"go1": "smtp.go1.unisender.ru", "go2": "smtp.go2.unisender.ru"},
            other_ports=(465,),
            quotas=(Quota(3_000, 3600, per="connection"),),
            max_connections=50,
            spf_include="spf.unisender.ru",
        ),
        SmtpPreset(
            "sendcloud",
            "SendCloud (Aurora)",
            "smtp.sendcloud.net",
            587,
            Tls.STARTTLS,
            "The API_USER of a batch account; the password is its API_KEY",
            "https://www.sendcloud.net/doc/",
            other_ports=(25, 2525),
            quotas=(Quota(200, DAY, per="free account"),),
            spf_include="sendcloud.org",
        ),
        SmtpPreset(
            "fastmail",
            "Fastmail",
            "smtp.fastmail.com",
            465,
            Tls.IMPLICIT,
            "The Fastmail address; the password is an app password",
            "https://www.fastmail.help/hc/en-us/articles/1500000278342",
            other_ports=(587,),
            max_connections=2,
            spf_include="spf.messagingengine.com",
            notes="For a few people, not for campaigns.",
        ),
    )
}
