"""How people say stop, and nothing else, in the languages of the product; and what is not their own words."""

from __future__ import annotations

import re

MAX_OWN_CHARS = 300
"""Longer texts are for a person to read: somebody who explains is not only saying stop."""

_POLITE = (
    "please", "pls", "bitte", "por favor", "s['’]il vous plaît", "svp", "snälla", "vänligen", "hi", "hello",
    "hej", "hallo", "hola", "bonjour", "olá", "thanks", "thank you", "danke", "gracias", "tack", "merci",
    "obrigado", "obrigada",
)  # fmt: skip
_STOP_WHAT = (
    "it|this|these|that|sending|asking|writing|emailing|contacting|the|me|mails?|emails?|surveys?|now"
)
_ENOUGH = (
    rf"stop(?: (?:{_STOP_WHAT}))*",
    r"unsubscribe(?: me)?",
    r"opt(?:ing)?[ -]?out",
    r"remove me(?: from .{1,40})?",
    r"take me off .{1,40}",
    r"no more (?:mails?|emails?|surveys?)",
    r"do(?:n['’]t| not) (?:contact|email|write to|ask|survey) me(?: again| any ?more)?",
    r"abmelden",
    r"austragen",
    r"keine (?:weiteren )?(?:e-?mails?|umfragen)(?: mehr)?",
    r"nicht mehr (?:anschreiben|fragen)",
    r"(?:dar(?:me|se)? de )?baja",
    r"no (?:me )?(?:escriban|envíen|contacten)(?: más)?(?: (?:correos|encuestas))?",
    r"cancelar(?: suscripción| inscrição)?",
    r"(?:me )?désabonner",
    r"désabonnez[- ]moi",
    r"désinscri(?:re|ption)",
    r"ne (?:m['’]|me )?(?:contactez|écrivez) plus",
    r"avregistrera(?: mig)?",
    r"avsluta",
    r"sluta(?: (?:skicka|mejla|fråga))*",
    r"inga fler (?:mejl|mail|enkäter)",
    r"remova-me",
    r"não (?:me )?(?:enviem|contactem|contatem)(?: mais)?",
    r"parar",
)
_POLITELY = "(?:" + "|".join(_POLITE) + ")"
_STOP = re.compile(
    f"(?:{_POLITELY}[,! ]*)*(?:{'|'.join(_ENOUGH)})(?:[,.! ]*{_POLITELY})*[.! ]*", re.IGNORECASE
)
_UNSUBSCRIBE = re.compile(r"\s*unsubscribe\s*", re.IGNORECASE)

_QUOTES = (
    r">",
    r"on .{5,120}wrote:",
    r"-{2,}\s*(?:original|ursprüng|mensaje|message|mensagem|ursprung)",
    r"(?:von|from|de ?|från):",
    r"am .{5,120}schrieb",
    r"le .{5,120}a écrit",
    r"el .{5,120}escribi",
    r"em .{5,120}escreveu",
    r"den .{5,120}skrev",
    r"_{10,}",
    r"-- ?$",
)
_QUOTE = re.compile(rf"\s*(?:{'|'.join(_QUOTES)})", re.IGNORECASE)


def says_stop(subject: str, text: str) -> bool:
    """Whether somebody says stop and nothing else; quotes and signatures below do not count."""
    if _UNSUBSCRIBE.fullmatch(subject):
        return True
    own: list[str] = []
    for line in text.splitlines():
        if _QUOTE.match(line):
            break
        if line.strip():
            own.append(line.strip())
    return bool(own) and sum(map(len, own)) <= MAX_OWN_CHARS and _STOP.fullmatch(own[0]) is not None
