"""All text rules of classification in their order, and the rules on machines and networks in between.

The first rule whose pattern occurs in a server's words decides. Patterns are written for text that `classify.plain`
has prepared: lower case, single spaces, no addresses, host names, URLs or codes (a host named "spamfilter" must not
decide). Rules about us come before rules about the recipient: "550 5.1.1 rejected, see our block list" is about us.
Any change of a pattern or of the order needs a new RULES_VERSION, so that stored events can be classified again.
"""

from __future__ import annotations

from .rule import Rule, rule
from .rules_recipient import MAILBOX_RULES, RECIPIENT_RULES
from .rules_sender import SENDER_RULES
from .taxonomy import Category

RULES_VERSION = 1

_CONNECTION = r"""
    connection (?:was |is |has been )?(?:refused|reset|timed out|closed|lost|dropped)(?! (?:by|due|because|from))
"""

_MAILER = r"""
    mailer error|mailer (?:\w+ )?(?:failed|died|exited)
    \b(?:command|program|process|script)\b (?:\S{1,40} )?(?:died|failed|returned|exited|time limit|output|crashed)
    command output:|\b(?:procmail|maildrop)\b|died with (?:status|signal)|exit(?:ed)? (?:status|code|with)|\bpipe to\b
    local (?:delivery|mailer|configuration) (?:\w+ )?(?:fail|error|problem)
    <CANNOT> (?:create|open|write|exec|chdir|lock|append|update|read)\b|input/output error
    internal (?:server |software )?(?:error|problem)
    \b(?:system|software|configuration|sql|database|ldap|backend|map|operating system) (?:\w+ )?(?:error|failure|failed)
    out of memory|resources? (?:\w+ )?(?:unavailable|exhausted|insufficient)
    mail.{0,12}\bloop|forwarding loop|loop broken|loop(?:s|ing)? (?:back|detected|count)|loop alert
    too many hops|hop count|hops? (?:exceeded|limit)|circular|duplicated message-id
    media error|mailing list expansion
"""

_EXPIRED = r"""
    \b(?:message|envelope|mail|delivery|queue|retry)(?:[ -](?:life ?)?time(?:out)?| limit| period)? <IS>*expired
    retry (?:time|timeout|limit|period) (?:\w+ )?(?:exceeded|not reached)
    (?:in|on) (?:the |our )?queue (?:too|for|more|longer|since)
    (?:gave|giving) up (?:after|trying)|not going to try|too old\b
    (?:multiple|several|repeated|too many|\d{1,4}) (?:delivery )?(?:retries|attempts)
    max(?:imum)? (?:\w+ )?(?:life ?time|retr\w+|attempts)|delivery time
    (?:undelivered|undeliverable|queued|tried|trying|attempt\w*|delayed) (?:\w+ ){0,6}\d+ ?(?:days?|hours?|min|sec)
    (?:not been delivered|unable to deliver|cannot send) (?:\w+ ){0,8}\d+ ?(?:days?|hours?|min|sec)
    could not (?:send|be delivered) (?:\w+ ){0,8}\d+ ?(?:days?|hours?|min|sec)
    has been delayed|will be retried|still undelivered|warning message only
    (?:delivery|it) (?:is |was )?(?:delayed|timed out)
"""

_DNS = r"""
    (?:malformed|unexpected|temporary|soft) (?:\w+ ){0,4}(?:name ?server|dns|lookup|resolution)
    servfail|cname (?:lookup )?fail
    \b(?:dns|name ?server|name service|mx|host(?: ?name)?|lookup)\b.{0,60}(?:temporar|try again|not respond)
    \b(?:dns|name ?server|name service|mx|host(?: ?name)?|domain name)\b.{0,60}(?:time-?d? ?out|lookup failure)
    temporar\w* .{0,40}\b(?:dns|lookup|resol\w+|name server|domain)
"""

_FILTER = r"""
    (?:reject|block|refus|filter|discard|den[yi])\w* (?:\w+ ){0,3}by (?:\w+ ){0,3}(?:recipient|user|filter|mail ?box)
    (?:reject|block|refus|filter|discard|den[yi])\w* (?:\w+ ){0,3}by (?:\w+ ){0,3}(?:owner|content|rule|customer)
    filter\w*\b|(?:does not want|only accepts?|refuses?) (?:\w+ ){0,3}(?:mail|e-?mail|message)
    members? only|not (?:a )?(?:member|subscrib)|permission to post|may not have permission|recipient preferences
    delivery restriction|not authori[sz]ed to send|google groups
"""

_NETWORK = r"""
    temporar|try(?:ing)? (?:again|later)|retry|tim(?:ed|e) ?-?out|no route|unreachable|not (?:reachable|respond)
    connection (?:\w+ )?(?:reset|lost|closed|dropped|died|failed|terminated|broken|aborted|error|refused)|connect to\b
    <CANNOT> connect|establish an? smtp|socket|network (?:error|is)|name ?server|\bdns\b|lookup
    host is down|service (?:not |un)available|shutting down|did not accept our requests|deferred
"""

_SYNTAX = r"""
    \b(?:syntax|protocol|sequence|command|parameter|argument)s?\b.{0,30}(?:error|invalid|unrecogni[sz]ed|unknown|bad)
    \b(?:syntax|protocol|sequence|command|parameter|argument)s?\b.{0,30}(?:not |unexpected|improper)
    (?:improper|bad|invalid|wrong|out of|unexpected) (?:\w+ )?(?:sequence|command|parameter|argument|syntax)
    (?:unrecogni[sz]ed|unsupported) (?:\w+ )?(?:sequence|command|parameter|argument)|need (?:rcpt|mail)
"""

_POLICY = r"""
    polic(?:y|ies)|administrat\w+ (?:prohibit|den[yi]|reject|block)
    prohibited|forbidden|security|violat|unacceptable|disallowed
    not (?:allowed|permitted|authori[sz]ed)|denied|blocked
"""

# Words that say no and nothing else: the enhanced code goes before them.
_REFUSAL = r"""
    rejected|refused|not accepted|unable to accept|unwanted|declined
"""

RULES: tuple[Rule, ...] = (
    *SENDER_RULES,
    rule("connection", Category.TRANSIENT, _CONNECTION),
    rule("mailer", Category.REMOTE_ERROR, _MAILER),
    *MAILBOX_RULES,
    rule("expired", Category.EXPIRED, _EXPIRED),
    rule("dns", Category.TRANSIENT, _DNS),
    *RECIPIENT_RULES,
    rule("filter", Category.FILTERED, _FILTER),
    rule("network", Category.TRANSIENT, _NETWORK),
    rule("syntax", Category.PROTOCOL_ERROR, _SYNTAX),
    rule("policy", Category.POLICY, _POLICY),
)
LAST_RULES: tuple[Rule, ...] = (rule("refusal", Category.POLICY, _REFUSAL),)
