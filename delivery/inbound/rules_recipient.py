"""Text rules about the recipient: the mailbox is full or shut, the domain takes no mail, the user is unknown."""

from __future__ import annotations

from .rule import rule
from .taxonomy import Category

_NO_MAIL_DOMAIN = r"""
    (?:host|domain|server|system|site)<WORD> ?<DOES NOT> (?:\w+ )?<TAKE> (?:e-?mail|mail|messages|smtp)\b<NOT FROM>
    (?<!sender address has )null ?mx|no mx\b
    no (?:valid |usable )?(?:mx (?:record|host)|mail exchanger|mail server|a record)
    mx records? (?:not found|is empty|for)|relevant mx records point to non-?existent hosts
    <DOES NOT> have (?:an? |any )?(?:valid )?(?:mx|mail exchanger|mail server)
    indicated no smtp service|accepts? no mail|system not accepting network messages
"""

_QUOTA = r"""
    (?<!message size )(?<!sending )\bquota|over ?limit\b
    \b(?:mail ?box|mail ?drop|maildir|mail ?folder|in-?box|mail ?store)<WORD> <IS>*(?:\w+ )?(?:full|over)
    \b(?:user|recipient'?s? \w+|disk|folder|account)<WORD> <IS>*(?:full|over (?:its|the|size|limit))\b
    full mail ?(?:box|drop)|out of (?:storage|disk|space)
    (?:not enough|insufficient|no more|no|lack of|low on) (?:\w+ ){0,3}(?:storage|space)\b
    (?:exceed|over|reach)\w* (?:\w+ ){0,5}(?:storage|disk|space|mail ?box|allocation|inbox)
    mail ?box (?:\w+ )?(?:size|storage|space)|(?:storage|space|mail ?box) .{0,20}(?:exceed|exhaust)
    too much mail|box space
    bo.te (?:aux lettres )?.{0,20}pleine|postfach.{0,20}voll|mailbox voll
    buz.n.{0,20}lleno|casella.{0,20}piena|caixa.{0,20}cheia|переполнен
    邮箱.{0,10}(?:满|空间不足|超)|空间(?:已满|不足)|容量(?:不足|已满|超)
    メールボックス.{0,20}(?:一杯|いっぱい|容量)
"""

_TOO_LARGE = r"""
    \b(?:message|mail|e-?mail|attachment|letter|file|data|line)s?(?: file)?(?: size| length)? ?<IS>?(?:too|exceed)\w*
    \b(?:message|mail|attachment|size)<WORD> <IS>?(?:larger|bigger|over ?size)
    \b(?:message|mail|attachment|maximum|max|fixed|line|header|size|length)(?: size| length)? limit\b
    exceed\w* (?:\w+ ){0,5}(?:size|length)\b
    size (?:of \w+ \w+ )?(?:is )?(?:exceed|too|greater|over|larger)|too (?:large|big)\b
    line(?: length)? limit exceeded
    邮件(?:大小|过大|太大)|超过.{0,10}大小
"""

_INACTIVE = r"""
    \b<PERSON>(?:\(s\))?(?: \S{1,60}){0,2}? (?:\w+ )?<SHUT>\b
    \b(?:disabled|suspended|inactive|deactivated|locked|frozen|closed|terminated|discontinued) (?:\w+ )?<PERSON>
    (?:not (?:currently )?|temporarily not |no longer )(?:\w+ to )?<TAKE> (?:e-?mail|mail|messages)\b<NOT FROM>
    (?:temporarily|currently) (?:unavailable|disabled|inaccessible|blocked|unable to receive)
    account that you tried to reach is
    gesperrt|deaktiviert|冻结|停用|禁用|已(?:被)?注销
"""

_UNKNOWN_DOMAIN = r"""
    \b<HOST>(?:/domain)?(?: or domain name)?(?: name)?<WORD> <IS>*(?:unknown|invalid|non-?existent|undefined|unrout\w+)
    \b<HOST>(?:/domain)?(?: or domain name)?(?: name)?<WORD> <IS>*not (?:be )?(?:found|exist|resolv\w*|known|valid)
    \b<HOST><WORD> <IS>*not (?:be )?(?:located|reachable|recogni[sz]ed|registered)
    \b<HOST><WORD> (?:<IS>*n'?t exist|does ?n[o']?t exist|no longer exists?|can(?:not|'t) be (?:found|resolved))
    \b<BAD> (?:mail |recipient |destination |remote |destination system )?(?:host|domain|site|destination|system)\b
    nxdomain|name or service not known|no address associated with|find any host|authoritative answer|mail domain
    <CANNOT> (?:resolve|look ?up|find|locate) (?:\w+ ){0,3}(?:host|domain|mx)
    host (?:address )?lookups? failed permanently|dns domain .{0,40}not exist|unrout\w+ address
    域名(?:不存在|无法解析|错误|解析(?:失败|错误))
    domaine inconnu|unbekannte domain|dominio (?:desconocido|inexistente)
"""

_MOVED = r"""
    \b<PERSON><WORD> <IS>?(?:moved|relocated|migrated|changed (?:his|her|their|its|e-?mail|address))
    ha(?:s|ve) a new (?:e-?mail )?address|address (?:has )?changed|not our user
"""

# Statements that no filter makes: the system that keeps the users speaks.
_NO_ACCOUNT = r"""
    <DOES NOT> have an? (?:\S{1,60} )?account
    requested action not taken: mailbox unavailable
"""

# What a mail system says of its own directory. "User unknown" is not here: filters say it too.
_OWN_WORDS = r"""
    not listed in (?:\w+ ){0,3}(?:directory|(?:address|name & address) book)|ディレクトリ.{0,40}見つかりません
    recipient name is not recogni[sz]ed|no valid recipients? (?:for|were)|unknown recipient|\bunknown user:
    nicht im domino|mailaddress is unknown
    \b<PERSON>\b[^.;]{0,40}\b(?:does ?n[o']t exist|not found|could not be found)
    no such (?:user|mail ?box|account|recipient|person|address)|(?:user|mail ?box|account|recipient) not exist
    mail ?box (?:unavailable(?! or access)|not found)
    (?:用户|收件人|邮箱|帐号|账号|地址)[^。]{0,10}不存在|找不到(?:收件人|用户|邮箱)
"""

# Postfix puts "Recipient address rejected:" before any reason: alone it says nothing.
_UNKNOWN_USER = r"""
    \b<PERSON>\b[^.;]{0,50}\b<GONE>
    \b<BAD> (?:\w+ ){0,2}<PERSON>\b
    \bno (?:mail ?box|account|user|recipient|person|one) (?:here|by|with|named|called|at|on|for|found)
    nobody (?:here|by)
    mail ?box (?:unavailable(?! or access)|not available|not found)
    (?:unknown|no such) local|not a (?:valid|known|local) \w+
    recipient address rejected(?:: access denied|: undeliverable address|\W*$)
    bad destination mailbox|rejected address|(?<!recipient )address (?:was |is )?(?:not accepted|rejected)
    no longer (?:with|works?|employed|at this|on (?:this )?server)|left the (?:company|organi[sz]ation)|not our customer
    resolver\.adr\.\w*(?:notfound|invalid)|recip(?:ient)?notfound|unknown in (?:\w+ ){0,3}table
    does ?n[o']t exist\b
    (?:utilisateur|destinataire|adresse) (?:\w+ ){0,2}(?:inconnue?|invalide|introuvable|inexistante?)
    adresse d au moins un destinataire invalide
    unbekannte[rns]? (?:empf|benutzer|adress)|empf.nger (?:ist )?unbekannt|benutzer (?:ist )?unbekannt
    usu.rio (?:desconhecido|inexistente)|usuario (?:desconocido|no existe|inexistente)
    utente (?:sconosciuto|inesistente)|пользовател\w+ не (?:найден|существует)|нет такого
    (?:用户|收件人|邮箱|帐号|账号|地址)[^。]{0,10}不存在|不存在的?(?:用户|邮箱|收件人)
    找不到(?:收件人|用户|邮箱)|無此(?:使用者|帳號)
    (?:ユーザ|宛先|アドレス|受信者).{0,40}(?:見つかりません|存在しません|不明)
    \bmi:(?:anf|nhd)
"""

MAILBOX_RULES = (
    rule("no-mail-domain", Category.BAD_DOMAIN, _NO_MAIL_DOMAIN),
    rule("quota", Category.QUOTA, _QUOTA),
    rule("too-large", Category.TOO_LARGE, _TOO_LARGE),
    rule("inactive", Category.INACTIVE_MAILBOX, _INACTIVE),
)
RECIPIENT_RULES = (
    rule("unknown-domain", Category.BAD_DOMAIN, _UNKNOWN_DOMAIN, needs="no_other_subject"),
    rule("moved", Category.INVALID_RECIPIENT, _MOVED, needs="address"),
    rule("bounce-category", Category.INVALID_RECIPIENT, r"\[bad-mailbox\]"),
    rule("no-account", Category.INVALID_RECIPIENT, _NO_ACCOUNT, needs="no_other_subject"),
    rule("own-words", Category.INVALID_RECIPIENT, _OWN_WORDS, needs="own_words"),
    rule("user-unknown", Category.INVALID_RECIPIENT, _UNKNOWN_USER, needs="address"),
    rule("user-unknown-unconfirmed", Category.FILTERED, _UNKNOWN_USER),
)
