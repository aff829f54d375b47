"""What mail servers answer, collected from their documentation and from bounces, and what each answer is.

A row: the stage where the answer came, its words, and the kind of bounce ("" where only "not hard" matters).
"""

from __future__ import annotations

from delivery.inbound.report import Stage

R, D, M, C, U = Stage.RCPT, Stage.DATA, Stage.MAIL, Stage.CONNECT, Stage.UNKNOWN

REPLIES: tuple[tuple[Stage, str, str], ...] = (
    (R, "550 5.1.0 <a@b.example>: Recipient address rejected: Other address status", "hard"),
    (R, "550 5.1.1 <a@b.example>: Recipient address rejected: Bad destination mailbox address", "hard"),
    (R, "550 5.1.2 <a@b.example>: Recipient address rejected: Bad destination system address", "hard"),
    (R, "501 5.1.3 <a@b.example>: Recipient address rejected: Bad destination mailbox address syntax", "hard"),
    (R, "550 5.1.4 <a@b.example>: Recipient address rejected: Destination mailbox address ambiguous", "soft"),
    (
        R,
        ("550 5.1.6 <a@b.example>: Recipient address rejected: Destination mailbox has moved, No forwarding address"),
        "hard",
    ),
    (R, "550 5.1.7 <a@b.example>: Recipient address rejected: Bad sender's mailbox address syntax", "block"),
    (R, "550 5.1.8 <a@b.example>: Recipient address rejected: Bad sender's system address", "block"),
    (R, "550 5.1.9 <a@b.example>: Recipient address rejected: Message relayed to non-compliant mailer", "block"),
    (R, "556 5.1.10 <a@b.example>: Recipient address rejected: Recipient address has null MX", "hard"),
    (R, "550 5.2.0 <a@b.example>: Recipient address rejected: Other or undefined mailbox status", "soft"),
    (R, "550 5.2.1 <a@b.example>: Recipient address rejected: Mailbox disabled, not accepting messages", "soft"),
    (R, "552 5.2.2 <a@b.example>: Recipient address rejected: Mailbox full", "soft"),
    (R, ("552 5.2.3 <a@b.example>: Recipient address rejected: Message length exceeds administrative limit"), "soft"),
    (R, "550 5.2.4 <a@b.example>: Recipient address rejected: Mailing list expansion problem", "soft"),
    (R, "550 5.3.0 <a@b.example>: Recipient address rejected: Other or undefined mail system status", "soft"),
    (R, "452 4.3.1 <a@b.example>: Recipient address rejected: Mail system full", "soft"),
    (R, "521 5.3.2 <a@b.example>: Recipient address rejected: System not accepting network messages", "hard"),
    (R, "550 5.3.3 <a@b.example>: Recipient address rejected: System not capable of selected features", "soft"),
    (R, "552 5.3.4 <a@b.example>: Recipient address rejected: Message too big for system", "soft"),
    (R, "550 5.3.5 <a@b.example>: Recipient address rejected: System incorrectly configured", "soft"),
    (R, ("550 5.4.0 <a@b.example>: Recipient address rejected: Other or undefined network or routing status"), "soft"),
    (R, "450 4.4.1 <a@b.example>: Recipient address rejected: No answer from host", "soft"),
    (R, "550 5.4.3 <a@b.example>: Recipient address rejected: Directory server failure", "soft"),
    (R, "550 5.4.4 <a@b.example>: Recipient address rejected: Unable to route", "soft"),
    (R, "550 5.4.6 <a@b.example>: Recipient address rejected: Routing loop detected", "soft"),
    (R, "550 5.4.7 <a@b.example>: Recipient address rejected: Delivery time expired", "soft"),
    (R, "550 5.5.3 <a@b.example>: Recipient address rejected: Too many recipients", "block"),
    (R, "550 5.5.0 <a@b.example>: Recipient address rejected: Other or undefined protocol status", "soft"),
    (R, "550 5.6.1 <a@b.example>: Recipient address rejected: Media not supported", "block"),
    (R, "550 5.7.1 <a@b.example>: Recipient address rejected: Delivery not authorized, message refused", "block"),
    (R, "550 5.7.2 <a@b.example>: Recipient address rejected: Mailing list expansion prohibited", ""),
    (R, "550 5.7.13 <a@b.example>: Recipient address rejected: User Account Disabled", "soft"),
    (R, "550 5.7.17 <a@b.example>: Recipient address rejected: Mailbox owner has changed", ""),
    (R, "550 5.7.18 <a@b.example>: Recipient address rejected: Domain owner has changed", ""),
    (R, "550 5.7.27 <a@b.example>: Recipient address rejected: Sender address has null MX", "block"),
    (
        R,
        (
            "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
            "double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. Learn "
            "more at 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser x1si - gsmtp"
        ),
        "hard",
    ),
    (
        U,
        (
            "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
            "double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces."
        ),
        "hard",
    ),
    (
        R,
        (
            "550 5.2.1 The email account that you tried to reach is disabled. Learn more at "
            "https://support.google.com/mail/?p=DisabledUser x - gsmtp"
        ),
        "soft",
    ),
    (
        R,
        ("550-5.2.1 The email account that you tried to reach is inactive. For more 550-5.2.1 information, go to"),
        "soft",
    ),
    (R, ("452-4.2.2 The email account that you tried to reach is over quota. Please direct the recipient to"), "soft"),
    (R, ("552-5.2.2 The recipient's inbox is out of storage space. Please direct the 552-5.2.2 recipient to"), "soft"),
    (
        D,
        ("421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address"),
        "block",
    ),
    (D, "550-5.7.1 [1.2.3.4 12] Our system has detected that this message is likely unsolicited mail.", "block"),
    (
        R,
        (
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
            "[BL2NAM06FT010.Eop-nam06.prod.protection.outlook.com]"
        ),
        "hard",
    ),
    (
        U,
        (
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
            "[BL2NAM06FT010.Eop-nam06.prod.protection.outlook.com]"
        ),
        "hard",
    ),
    (U, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "hard"),
    (U, "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", "hard"),
    (U, "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", "block"),
    (U, "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", "soft"),
    (
        R,
        (
            "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). "
            "[BN8NAM11FT042.eop-nam11.prod.protection.outlook.com]"
        ),
        "hard",
    ),
    (
        C,
        (
            "550 5.7.1 Unfortunately, messages from [1.2.3.4] weren't sent. Please contact your Internet "
            "service provider since part of their network is on our block list (S3140)."
        ),
        "block",
    ),
    (
        C,
        (
            "550 5.7.606 Access denied, banned sending IP [1.2.3.4]. To request removal from this list "
            "please visit https://sender.office.com/"
        ),
        "block",
    ),
    (
        M,
        (
            "451 4.7.650 The mail server [1.2.3.4] has been temporarily rate limited due to IP reputation. "
            "For e-mail delivery information, see https://postmaster.live.com (S775)"
        ),
        "block",
    ),
    (R, "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy", "block"),
    (
        R,
        (
            "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more "
            "information please go to http://go.microsoft.com/fwlink/?LinkId=526653 AS(7230)"
        ),
        "block",
    ),
    (
        R,
        ("550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level."),
        "block",
    ),
    (
        R,
        (
            "554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0] - "
            "mta1.mail.bf1.yahoo.com"
        ),
        "hard",
    ),
    (D, ("554 delivery error: dd Not a valid recipient - atlas-production.v2-mail-prod1-gq1.omega.yahoo.com"), ""),
    (R, "552 1 Requested mail action aborted, mailbox not found", "hard"),
    (
        D,
        ("554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes"),
        "block",
    ),
    (
        C,
        (
            "421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred due to unexpected volume or user "
            "complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes"
        ),
        "block",
    ),
    (
        D,
        ("553 5.7.1 [BL21] Connections will not be accepted from 1.2.3.4, because the ip is in Spamhaus's list; see"),
        "block",
    ),
    (
        D,
        (
            "554 5.7.1 [CS01] Message rejected due to local policy. Please visit "
            "https://support.apple.com/en-us/HT204137"
        ),
        "block",
    ),
    (R, "550 5.1.1 <x@icloud.com>: user does not exist", "hard"),
    (R, "552 5.2.2 <x@icloud.com>: user is over quota", "soft"),
    (R, "550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728", "hard"),
    (D, "550 Mailbox unavailable or access denied [Mabc]. https://open.work.weixin.qq.com/help2/pc/20047", ""),
    (D, ("550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726"), "block"),
    (D, ("550 Ip frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000725"), "block"),
    (D, "550 Domain frequency limited [abc].", "block"),
    (R, "550 The recipient's mailbox space is full 收件人邮箱空间不足", "soft"),
    (R, "550 User not found: x@163.com", "hard"),
    (
        D,
        ("554 DT:SPM 163 smtp5,C8CowABHr 1234 please see http://mail.163.com/help/help_spam_16.htm?ip=1.2.3.4"),
        "block",
    ),
    (C, "554 IP<1.2.3.4> in blacklist", "block"),
    (M, "553 RP:CEL 163 smtp,please see http://mail.163.com/help", "block"),
    (M, "553 Requested action not taken: Local user only or Authentication mechanism", ""),
    (
        R,
        ("550 Message was not accepted -- invalid mailbox.  Local mailbox x@mail.ru is unavailable: user not found"),
        "hard",
    ),
    (
        R,
        ("550 Message was not accepted -- invalid mailbox. Local mailbox x@mail.ru is unavailable: user is terminated"),
        "",
    ),
    (R, "550 5.7.1 No such user! 1234", "hard"),
    (R, "550 5.1.1 <x@yandex.ru>: Recipient address rejected: User unknown", "hard"),
    (
        R,
        (
            "550 Requested action not taken: mailbox unavailable For explanation visit "
            "https://postmaster.gmx.net/en/case?c=hi"
        ),
        "hard",
    ),
    (D, "554 Transaction failed Reject due to policy restrictions. For explanation visit", "block"),
    (R, "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", "hard"),
    (R, "550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]", "block"),
    (C, ("421 Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_004 [004]"), ""),
    (R, "550 #5.1.0 Address rejected.", "hard"),
    (R, "550 5.1.1 x@comcast.net Account not available", "hard"),
    (C, "554 resimta-po-09v.sys.comcast.net comcast 1.2.3.4 Comcast BL000000 Blocked for spam.", "block"),
    (R, "550 5.1.1 <x@aol.com>: Recipient address rejected: aol.com", "hard"),
    (R, "521 5.2.1 :  AOL will not accept delivery of this message.", ""),
    (R, "550 5.7.1 <x@example.com>... Access denied", "block"),
    (R, "554 5.7.1 <x@example.com>: Relay access denied", "block"),
    (
        R,
        (
            "450 4.2.0 <x@example.com>: Recipient address rejected: Greylisted, see "
            "http://postgrey.schweikert.ch/help/example.com.html"
        ),
        "soft",
    ),
    (
        R,
        ("450 4.1.1 <x@example.com>: Recipient address rejected: unverified address: Address verification in progress"),
        "soft",
    ),
    (
        R,
        (
            "550 5.1.1 <x@example.com>: Recipient address rejected: undeliverable address: host mx[1.2.3.4] "
            "said: 550 5.1.1 User unknown (in reply to RCPT TO command)"
        ),
        "hard",
    ),
    (R, "550 5.1.8 <bad@sender.example>: Sender address rejected: Domain not found", "block"),
    (R, "450 4.1.8 <bad@sender.example>: Sender address rejected: Domain not found", "block"),
    (
        R,
        (
            "554 5.7.1 Service unavailable; Client host [1.2.3.4] blocked using zen.spamhaus.org; "
            "https://www.spamhaus.org/query/ip/1.2.3.4"
        ),
        "block",
    ),
    (R, "554 5.7.1 <x[1.2.3.4]>: Client host rejected: Access denied", "block"),
    (R, "554 5.7.1 <mail.example.com>: Helo command rejected: Host not found", "block"),
    (
        R,
        (
            "550 5.7.1 <x@example.com>: Recipient address rejected: Message rejected due to: SPF fail - not "
            "authorized. Please see"
        ),
        "block",
    ),
    (R, "550 Administrative prohibition", "block"),
    (R, "550 Verification failed for <s@example.com>", ""),
    (R, "550 Sender verify failed", "block"),
    (R, "550 relay not permitted", "block"),
    (R, "550 Unrouteable address", "hard"),
    (U, "Unrouteable address", "hard"),
    (U, "all relevant MX records point to non-existent hosts", "hard"),
    (U, "an MX or SRV record indicated no SMTP service", "hard"),
    (U, "all host address lookups failed permanently", "hard"),
    (U, "retry timeout exceeded", "soft"),
    (U, "retry time not reached for any host after a long failure period", "soft"),
    (U, "lowest numbered MX record points to local host", "soft"),
    (U, "mailbox is full: retry timeout exceeded", "soft"),
    (U, ("Host or domain name not found. Name service error for name=example.invalid type=A: Host not found"), "hard"),
    (
        U,
        ("Host or domain name not found. Name service error for name=example.com type=MX: Host not found, try again"),
        "soft",
    ),
    (U, "connect to mx.example.com[1.2.3.4]:25: Connection timed out", "soft"),
    (U, "connect to mx.example.com[1.2.3.4]:25: Connection refused", "soft"),
    (U, "mail for example.com loops back to myself", "soft"),
    (U, "Sorry, I couldn't find any host named example.invalid. (#5.1.2)", "hard"),
    (U, "Sorry, no mailbox here by that name. (#5.1.1)", "hard"),
    (U, "This address no longer accepts mail.", ""),
    (
        U,
        (
            "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1) I'm not going to try again; "
            "this message has been in the queue too long."
        ),
        "soft",
    ),
    (U, "Domain of sender address s@x.example does not exist", "block"),
    (R, "553 5.1.8 <s@x.example>... Domain of sender address s@x.example does not exist", "block"),
    (R, "550 5.1.1 <x@y.example>... User unknown", "hard"),
    (R, "550 5.1.2 <x@y.example>... Host unknown (Name server: y.example: host not found)", "hard"),
    (U, "550 Host unknown", "hard"),
    (U, "Deferred: Name server: y.example.: host name lookup failure", "soft"),
    (R, "550 5.7.1 Mail from 1.2.3.4 has been blocked, mimecast policy", "block"),
    (R, "550 Rejected by header based Anti-Spoofing policy: https://community.mimecast.com", "block"),
    (R, "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [abc]", "hard"),
    (R, "550 No such recipient here: x@example.org (proofpoint)", "hard"),
    (R, "550 permanent failure for one or more recipients (x@example.org:blocked)", ""),
    (R, "550 permanent failure for one or more recipients (x@example.org:550 5.1.1 User unknown)", "hard"),
    (R, "550 5.1.1 User Unknown - Account disabled", ""),
    (R, "550 This address is no longer in use", "hard"),
    (
        R,
        (
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
            "additional messages from being delivered."
        ),
        "block",
    ),
    (R, "550 User has moved to somewhere else; please try <n@z.example>", "hard"),
    (R, "451 4.3.0 Temporary lookup failure", "soft"),
    (R, "421 4.3.2 Too many open connections.", "block"),
    (R, "550 5.7.0 Local Policy Violation", "block"),
    (D, "552 5.7.0 This message was blocked because its content presents a potential security issue.", "block"),
    (D, "552-5.2.3 Your message exceeded Google's message size limits. Please visit", "soft"),
    (D, "554 Message refused", "block"),
    (D, "550 High probability of spam", "block"),
    (D, "550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)", "block"),
    (R, "550 5.1.1 : Email address could not be found, or was misspelled (G8)", "hard"),
    (R, "550 5.7.1 Command rejected", "block"),
    (R, "550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.", "block"),
    (R, "503 5.5.1 Error: need RCPT command", "soft"),
    (R, "554 5.5.1 Error: no valid recipients", ""),
    (R, "530 5.7.0 Must issue a STARTTLS command first", "block"),
    (R, "535 5.7.8 Error: authentication failed", "block"),
    (R, "550 sorry, no mailbox here by that name (#5.1.1 - chkuser)", "hard"),
    (R, "550 5.1.1 unknown or illegal alias: x@example.org", "hard"),
    (R, "511 5.1.1 unknown address or alias: x@example.org", "hard"),
    (R, "550 x@example.org: no such alias", "hard"),
    (R, "550 unknown user", "hard"),
    (D, "550 unknown user", "soft"),
    (U, "550 unknown user", "soft"),
    (R, "450 4.2.2 Mailbox full", "soft"),
    (R, "451 4.7.1 Greylisting in action, please come back later", "soft"),
    (R, "550 5.1.1 Blocked by our blacklist, see", "block"),
    (U, "550 5.1.0 AUP#1310", "block"),
    (R, "550 5.1.0 CXBL 1.2.3.4 blocked", "block"),
    (U, "As the remote domain doesnt exist.", "hard"),
    (U, "Unknown user: kijitora@example.com", "hard"),
    (U, "Unknown host: example.com", "hard"),
    (C, "host mx[1.2.3.4] refused to talk to me: 554 5.7.1 unknown user", ""),
    (U, "The user(s) account is temporarily limited.", "soft"),
    (U, "550 - Requested action not taken: no such user here", "soft"),
    (R, "550 Mailbox unavailable or access denied [M1]", ""),
    (R, "550 5.7.64 TenantAttribution; Relay Access Denied", "block"),
    (U, "550 5.1.8 Access denied, bad outbound sender", "block"),
    (U, "550 5.4.316 Message expired, connection refused(Socket error code 10061)", "soft"),
    (U, "550 5.4.310 DNS domain example.xom does not exist [Message=InfoDomainNonexistent]", "hard"),
    (
        U,
        (
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery "
            "restriction check failed because the sender was not authenticated"
        ),
        "block",
    ),
    (U, "550 5.2.121 Recipient's per hour message receive limit exceeded", "block"),
    (U, "550 5.1.20 Multiple From addresses are not allowed without Sender address", "block"),
    (U, "550 5.7.520 Message blocked because it contains content identified as spam", "block"),
    (U, "554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "soft"),
    (
        R,
        (
            "550 5.1.1 RCP-P2 http://postmaster.facebook.com/response_codes?ip=1.2.3.4#rcp Refused due to "
            "recipient preferences"
        ),
        "",
    ),
    (R, "550 5.1.1 INT-P1 http://postmaster.facebook.com/response_codes", "hard"),
    (U, "554 5.1.1 <x@y.example> cannot send message for 5 days", "soft"),
    (R, '550 "Unknown User"', "hard"),
    (R, "550 Protocol violation", ""),
    (R, "550 5.0.0 Access denied to x@y.example", "block"),
    (R, "554 Denied (Mode: normal)", "block"),
    (R, "550 Your domain is not allowed", "block"),
    (D, "550 5.7.1 This message was not accepted due to domain (example.com) owner DMARC policy", "block"),
    (R, "550 5.1.0 sender rejected. Refer to Error Codes section", "block"),
    (R, "550 #5.7.1 Message rejected, mailbox owner prefers not to receive", ""),
    (R, "551 User not local; please try <x@y.example>", ""),
    (R, "550 5.1.1 User Unknown. Your IP is listed", ""),
    (R, "452 4.5.3 Too many recipients", "block"),
    (R, "552 5.2.2 The email account that you tried to reach is over quota and inactive.", "soft"),
    (U, "552 5.2.2 Over quota", "soft"),
    (R, "550 Command RCPT User <x@y.example> not OK", ""),
    (R, "550 mailbox <x@y.example> is restricted", ""),
    (U, "550 5.7.1 554 5.7.1 You are not allowed to connect.", "block"),
    (R, "550 5.1.1 <x@y.example> is not a valid mailbox", "hard"),
    (R, "550 5.1.1 sorry, no mailbox here by that name (#5.7.17)", "hard"),
    (R, "550 5.1.3 Invalid recipient", "hard"),
    (
        R,
        ("554 <x@y.example>: Recipient address rejected: User has moved to somewhere else. For more information call"),
        "hard",
    ),
)
