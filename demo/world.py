"""The customers of Nordlicht, a made-up software and logistics company: accounts, people, moods."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo.chance import Chance

ACCOUNTS = 40
PEOPLE_LEAST, PEOPLE_MOST = 5, 10

_REGIONS = (
    ("SE", "sv", "Europe/Stockholm"),
    ("ES", "es", "Europe/Madrid"),
    ("GB", "en", "Europe/London"),
    ("US", "en", "America/New_York"),
    ("US", "en", "America/Los_Angeles"),
    ("MX", "es", "America/Mexico_City"),
    ("SG", "en", "Asia/Singapore"),
    ("AU", "en", "Australia/Sydney"),
)
_FIRST = (
    "Ana",
    "Björn",
    "Chen",
    "Dolores",
    "Elsa",
    "Farid",
    "Greta",
    "Hugo",
    "Inés",
    "Jonas",
    "Kaja",
    "Luis",
    "Maja",
    "Nils",
    "Olga",
    "Pablo",
    "Quinn",
    "Rosa",
    "Sven",
    "Tove",
    "Uma",
    "Vera",
    "Wim",
    "Ximena",
)
_LAST = (
    "Alm",
    "Berg",
    "Castro",
    "Dahl",
    "Ek",
    "Fuentes",
    "Grant",
    "Holm",
    "Ito",
    "Jansson",
    "King",
    "López",
    "Moreno",
    "Nyström",
    "Ortega",
    "Patel",
    "Quist",
    "Ruiz",
    "Strand",
    "Torres",
    "Ueda",
    "Vega",
    "Wong",
)
_COMPANY = (
    "Acero",
    "Boreal",
    "Cobalt",
    "Delta",
    "Ember",
    "Fjord",
    "Granit",
    "Helios",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Marea",
    "Nimbus",
    "Orion",
    "Polar",
    "Quarz",
    "Rubin",
    "Sierra",
    "Tundra",
)
_KIND = ("Logistics", "Systems", "Foods", "Energy")
_INDUSTRIES = ("saas", "manufacturing", "logistics", "fintech")


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a customer. `warmth` is how well served the person feels, 0 to 1."""

    id: str
    name: str
    email: str
    phone: str
    locale: str
    zone: str
    persona: str
    job_function: str
    warmth: float


@dataclass(frozen=True, slots=True)
class Account:
    """A customer company. `gateway` opens every link of every mail; `robot` even presses the buttons."""

    id: str
    name: str
    tier: str
    industry: str
    region: str
    owner: str
    domain: str
    gateway: bool
    robot: bool
    contacts: tuple[Contact, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rep:
    """Somebody of customer success. `diligence` is how likely a ticket is cared for in time."""

    name: str
    email: str
    role: str
    diligence: float


REPS = (
    Rep("Freja Lind", "freja@nordlicht.example", "rep", 0.95),
    Rep("Mateo Cruz", "mateo@nordlicht.example", "rep", 0.85),
    Rep("Priya Nair", "priya@nordlicht.example", "rep", 0.6),
    Rep("Karin Åberg", "karin@nordlicht.example", "manager", 0.9),
)
ADMIN = Rep("Admin", "admin@nordlicht.example", "admin", 1.0)


def customers(chance: Chance) -> tuple[Account, ...]:
    """All accounts with their people."""
    return tuple(_account(chance, number) for number in range(ACCOUNTS))


def _account(chance: Chance, number: int) -> Account:
    base = _COMPANY[number % len(_COMPANY)]
    name = f"{base} {_KIND[number // len(_COMPANY) + 2 * (number % 2)]}"
    region, locale, zone = _REGIONS[number % len(_REGIONS)]
    tier = ("key", "small", "premium", "small", "small")[number % 5]
    domain = f"{base.lower()}{number}.example"
    owner = REPS[number % 3].email if number % 4 else ""
    gateway = chance.happens(0.4, "gateway", number)
    warmth = 0.35 + 0.6 * chance.share("warmth", number)
    least, most = PEOPLE_LEAST, PEOPLE_MOST
    size = least + int(chance.share("size", number) * (most - least + 1))
    people = tuple(_contact(chance, number, seat, domain, (locale, zone), warmth) for seat in range(size))
    industry = _INDUSTRIES[number % len(_INDUSTRIES)]
    robot = gateway and chance.happens(0.4, "robot", number)
    return Account(f"acc-{number:03d}", name, tier, industry, region, owner, domain, gateway, robot, people)


def _contact(
    chance: Chance, account: int, seat: int, domain: str, place: tuple[str, str], warmth: float
) -> Contact:
    who = ("person", account, seat)
    first, last = chance.pick(_FIRST, *who, "first"), chance.pick(_LAST, *who, "last")
    decides = seat == 0 or (seat == 1 and chance.happens(0.3, *who, "decides"))
    mood = min(1.0, max(0.0, warmth + 0.5 * (chance.share(*who, "mood") - 0.5)))
    return Contact(
        id=f"con-{account:03d}-{seat}",
        name=f"{first} {last}",
        email=f"{_ascii(first)}.{_ascii(last)}.{seat}@{domain}",
        phone=f"+4670{account:03d}{seat:04d}",
        locale=place[0],
        zone=place[1],
        persona="decision_maker" if decides else "user",
        job_function="management" if decides else ("operations", "admin", "engineering")[seat % 3],
        warmth=mood,
    )


def _ascii(text: str) -> str:
    table = str.maketrans("åäöéíóñÅÄÖ", "aaoeionAAO")
    return text.translate(table).lower()
