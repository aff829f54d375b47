"""Text rules about us: who we are, how fast we send, what our address is worth, what our message looks like."""

from __future__ import annotations

from .rule import rule
from .taxonomy import Category

_AUTH = r"""
    \b(?:dmarc|spf|dkim|domainkeys)\b
    sender policy framework
    unauthenticated (?:e-?mail|mail|sender|message)
    sender is (?:unauthenticated|not authenticated)
    (?:fail|pass|lack|meet)\w* (?:\w+ ){0,3}authentication (?:check|polic|requirement|test|level)
"""

_REVERSE_DNS = r"""
    \b(?:reverse.?dns|f?c?rdns|ptr|in-addr)\b
    \b(?:reverse|inverse) (?:host ?name|lookup|name|address|mapping|resolution|entry|record)
    (?:find|resolve|look ?up|verify|match) (?:your|the client'?s?|client|sending) (?:reverse )?(?:host|ip\b|address)
    without a valid (?:sender )?(?:domain|host|reverse)
"""

_RELAY = r"""
    relay(?:ing)?(?: access| mail| attempt| to| from)? ?<IS>?(?:denied|not|prohibit|forbid|refus|restrict)
    relay(?:ing)?(?: access| mail| attempt)? ?<IS>?(?:reject|block|disabled)
    (?:not|unable to|cannot|can't|refused? to|don'?t|doesn'?t|no|never|denied|prohibits?) (?:\w+ ){0,4}relay
    (?:insecure|open|third.party|unauthori[sz]ed|disallowed) (?:mail )?relay
    allowed rcpthosts|not a gateway|is not hosted here|not (?:a )?local (?:host|domain)
    (?:does|do) not (?:handle|accept|process|serve) mail for (?:this|that) (?:domain|host)
"""

_LOGIN = r"""
    auth(?:entication)? (?:is )?(?:required|needed)
    must (?:first )?(?:be authenticated|authenticate|log ?in)
    (?:log ?in|authenticate|auth) first
    requires? (?:smtp )?authentication
    authentication (?:failed|failure|unsuccessful|credentials)
    starttls (?:is )?(?:required|first|command first)
    must issue a starttls
"""

_GREYLIST = r"""
    gr[ae]y.?list
    postgrey
    please retry in \d+ (?:sec|min)
"""

_CONNECTIONS = r"""
    too many (?:\w+ ){0,4}(?:connections?|sessions?)
    (?:connections?|sessions?) (?:rate |count |number )?(?:limit|per)
    (?:concurrent|simultaneous|parallel|maximum number of|number of) (?:\w+ )?(?:connections|sessions)
    (?:server|service|system) (?:is )?(?:too )?busy
    trop de connexions
"""

_RATE = r"""
    \b(?:rate|frequency|speed|sending|daily|hourly)(?: \w+)? ?-?(?:limit|quota|throttl|exceed)
    \b(?:outbound|outgoing)(?: \w+)? (?:limit|quota|rate)
    \b(?:messages?|recipients?|relay) (?:rate|quota|count|frequency)(?: limit)?\b
    throttl|unusual rate|at a rate|too (?:quickly|fast|frequently|often)|slow(?:ing)? down
    too many (?:\w+ ){0,4}(?:messages?|mails?|e-?mails?|rcpts?|recipients?|requests|errors|deliver)
    (?:exceed|reach|maximum|limit)\w* .{0,50}(?:per|in an?|each|every|this) (?:hour|day|minute|second)\b
    (?:exceed|reach|maximum|limit)\w* .{0,50}(?:per|in an?|each|every|this) (?:session|connection)\b
    per (?:hour|day|minute|second) (?:\w+ ){0,3}limit|temporarily (?:rate.?limited|deferred)
    \bt?s?s?(?:ts|ipts)\d\d\b
    发(?:送|信)频率|频率(?:过高|限制|受限)
"""

_BLOCKLIST = r"""
    (?:black|block|blocked|deny|reject|drop|exploit).?list|black ?hole|\b(?:dns|r|dnsw|dns-?)bls?\b
    spamhaus|spamcop|\bsorbs\b|barracudacentral|uceprotect|abuseat
    senderscore|senderbase|invaluement|cloudmark|reputation
    (?<!not )\blisted (?:in|on|at|by)\b(?! directory)|\b(?:ip|host|server)(?: address)? is listed
    \bs31(?:40|50)\b|part of their network is on|banned sending ip
    \b(?:ip(?: address)?|client(?: host)?|network|isp|country)<WORD> <IS>*(?:\w+ )?<REFUSED>
    \b(?:mail|sending|your|remote|source) ?(?:host|server|system|network)<WORD> <IS>*(?:\w+ )?<REFUSED>
    (?:block|bann?|refus|den[yi]|reject|accept)\w* .{0,30}\b(?:your|this|from|client|sending) (?:\w+ )?(?:ip|host)\b
    (?:block|bann?|refus|den[yi]|reject)\w* .{0,30}\b(?:your|this|from) (?:\w+ )?(?:server|isp|network|country|range)\b
    \bdynamic(?:ally)?\b.{0,20}(?:ip|address|assigned|pool|host)
    residential|dial-?up|generic (?:ptr|host ?name|rdns)
    (?:smtp|mail|outgoing|relay) (?:server|relay|host) of your
    your (?:isp|provider)'?s? (?:\w+ )?(?:smtp|mail|outgoing|server)
    \b(?:helo|ehlo)\b.{0,40}(?:reject|invalid|denied|fail|mismatch|block|own|bad|not )
    (?:reject|invalid|bad|bogus|forged) .{0,20}\b(?:helo|ehlo)\b
    you are not (?:allowed|welcome|permitted|authori[sz]ed)|not authori[sz]ed to (?:connect|deliver)
    excessive (?:spam|bounces|unknown|complaint)|\babus(?:e|ive)\b|directory harvest|acceptable use
    \baup\b|\bcx(?:bl|sndr|thrtl|dns|mxrt|mj)\b
    \bhl:i|\brp:(?:ce|tr|qr|or)
"""

_SENDER = r"""
    \bsender(?:'?s)?(?: \S{1,40}){0,3} <IS>*<OBJECTED>
    \b(?:<BAD>|unverified|blocked|rejected|unauthori[sz]ed|forged|refused|denied|fake) (?:\w+ ){0,2}senders?\b
    \b(?:verify|resolve|disallowed|forged|<BAD>) (?:\w+ ){0,2}(?:from address|return.path|envelope.from|originator)
    \bdomain of (?:the )?sender|\bsender'?s? domain|domain in (?:from|mail from|sender)
    \b(?:mail from|envelope.from|return.path|from address|reverse.path)\b(?: \S{1,40}){0,4} <OBJECTED>
    \bfrom: (?:domain|address|header)|valid from:
    backscatter|(?:null|empty) sender|callback|call.?out|bounces? (?:is |are )?not accepted
    发件人|发信人
"""

_SPAM = r"""
    spam|unsolicited|\bjunk\b|bulk (?:e-?)?mail|\bu[bc]e\b|phish
    suspicious|suspected|malicious|malware|virus|infected|trojan
    (?:banned|dangerous|forbidden|prohibited|blocked) (?:\w+ )?(?:attachment|file|content|extension|url|link)
    (?:illegal|executable|disallowed) (?:\w+ )?(?:attachment|file|content|extension)
    content (?:was |is |has been |of \w+ )?(?:reject|den[yi]|refus|restrict|filter|block|not accept|polic)
    (?:reject|block|den[yi]|refus|filter)\w* .{0,40}\b(?:content|url|link|uri|words)\b
    high score|score (?:of|is|too|exceed)|bayes|fingerprint|inappropriate
    \bofr_5|\blpn\d{3}_5|mail rejet|\bdt:spm
    垃圾邮件|内容(?:被拒|违规|不合规)
"""

_NOT_COMPLIANT = r"""
    \brfc ?-?(?:2822|5322|822|2047|5321|821|1652)\b
    not (?:\w+ )?complian|non-?complian
    \b(?:headers?|mime|message (?:format|syntax)|subject|from)\b.{0,30}\b(?:malformed|illegal|error|missing|syntax)
    \b(?:headers?|mime|message (?:format|syntax)|subject|from)\b.{0,30}\b(?:corrupt|non-?ascii|8.?bit|bare)
    (?:malformed|invalid|illegal|missing|multiple|bare|corrupt)\b.{0,30}\b(?:headers?|mime|message(?! has)|subject)\b
    (?:duplicate|bare|improper|multiple|invalid)\b.{0,30}\b(?:lf|cr|newline|8.?bit|characters?|message-id|date)\b
    multiple addresses in from
    8.?bit (?:data|mime|char|header)|smtputf8|conversion (?:required|not|lost)
    (?:unknown|unsupported) charset|too many received
"""

# Codes of single providers: Cox CXBL, CXSNDR; Spectrum AUP#; NetEase (163.com, 126.com) HL host list, RP reputation,
# DT content; Orange ofr_5xx; La Poste lpn.
SENDER_RULES = (
    rule("auth", Category.AUTH_FAILED, _AUTH),
    rule("reverse-dns", Category.AUTH_FAILED, _REVERSE_DNS),
    rule("relay", Category.RELAY_DENIED, _RELAY),
    rule("login", Category.RELAY_DENIED, _LOGIN),
    rule("greylist", Category.GREYLIST, _GREYLIST),
    rule("connections", Category.CONNECTION_LIMIT, _CONNECTIONS),
    rule("rate", Category.RATE_LIMIT, _RATE),
    rule("blocklist", Category.SPAM_BLOCK, _BLOCKLIST),
    rule("sender", Category.SENDER_INVALID, _SENDER),
    rule("spam", Category.SPAM_CONTENT, _SPAM),
    rule("not-compliant", Category.BAD_CONTENT, _NOT_COMPLIANT),
)
