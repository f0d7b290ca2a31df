"""What pages say instead of an article: cookies, subscriptions, sign-in, robots, errors. Pure."""

import re

_COOKIES = (
    r"\bwe (?:and our (?:\d+ )?(?:trusted )?partners )?(?:use|store|set) .{0,40}cookies",
    r"\bwe value your privacy|\bthis (?:web)?site uses cookies|\buses cookies to",
    r"\b(?:accept|reject|allow) (?:all |the )*cookies|\bcookie (?:policy|settings|preferences|notice)",
    r"\bmanage (?:your )?(?:consent|privacy|cookie)|\bwithdraw your consent|\blegitimate interest",
    r"использу\w+ (?:файлы )?(?:cookie|куки)|файл\w* (?:cookie|куки)",
    r"принять (?:все )?(?:файлы )?(?:cookie|куки)|(?:cookie|куки)[- ]?файл|куки қолданады",
)
_SUBSCRIPTIONS = (
    r"\bsubscribe (?:now |today )?to (?:continue|read|keep|unlock)|\bto (?:continue|keep) reading\b",
    r"\b(?:for|to) (?:our )?(?:paying )?subscribers(?: only)?\b.{0,40}$|\bsubscribers?[ -]only\b",
    r"\balready (?:a|have a) (?:subscri|member)|\byou have (?:read|reached) .{0,30}free articles",
    r"\bthe rest of this (?:story|article)|\bunlock this|\bmonthly limit|\bbecome a member",
    r"\bpremium (?:readers|members|content)|\balready registered\b|\breserved for .{0,20}readers",
    r"(?:оформите|купите|продлите) подписку|подпишитесь,? чтобы|чтобы (?:читать|прочитать|дочитать)",
    r"(?:полный текст|продолжение) .{0,30}(?:в приложении|по подписке)|материал .{0,20}по подписке",
    r"(?:только|доступ\w*) (?:для|по|нашим) подпис|уже (?:подписаны|есть подписка)|для подписчиков",
    r"материал ақылы|жазылушыларға|оқу үшін жазыл|толық оқу үшін|оқуды жалғастыру үшін|жазылымды рәсімде",
)
_SIGN_IN = (
    r"\b(?:log|sign) ?in to (?:continue|read|your)|\bcreate (?:a free|an) account",
    r"войдите,? чтобы|войдите (?:в|на) |зарегистрируйтесь,? чтобы|войти в личный кабинет|жүйеге кіріңіз",
)
_ROBOTS = (
    r"(?:enable|turn on|activate|requires?) java ?script|java ?script (?:is|has been|must|to) ",
    r"verify (?:that )?you(?:'| a|’)re (?:a )?human|checking (?:if|your) |unusual traffic|\bray id\b",
    r"\baccess (?:to this page )?(?:has been |is )?denied|\bad ?block(?:er|ing)",
    r"(?:включите|включить) (?:поддержку )?java ?script|java ?script (?:от|вы)ключ",
    r"что вы не робот|проверк\w+ (?:вашего )?браузера|доступ .{0,30}(?:запрещ|ограничен)",
    r"отключите .{0,20}блокировщик|javascript\S* (?:қос|өшір)|робот емес|қол ?жеткізу .{0,20}(?:шекте|тыйым)",
)
_ERRORS = (
    r"\bpage .{0,30}(?:not (?:be )?found|no longer (?:exists|available))|\berror 404|\b404 not found",
    r"страниц\w+ .{0,30}не (?:найдена|существует)|ошибка 404|(?:бет|парақ) табылмады",
)
_NOTICE = re.compile("|".join((*_COOKIES, *_SUBSCRIPTIONS, *_SIGN_IN, *_ROBOTS, *_ERRORS)), re.IGNORECASE)


def is_notice(line: str) -> bool:
    """Whether a line has words by which pages keep readers from an article."""
    return _NOTICE.search(line) is not None
