"""The presets: every row of the touchpoint catalogue, as the guides have it, in three languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.scoring.domain.goals import EVENTS
from services.trigger.domain.findings import Checked
from services.trigger.domain.lint import check, longest_path
from services.trigger.domain.programme import Programme
from services.trigger.worker.publisher import read_folder
from shared.config.documents import read_documents
from shared.contracts.forms import Permission

FOLDER = Path(__file__).parents[3] / "programmes" / "presets"
LOCALES = ("en", "es", "sv")
GROUPS = ("groups.yaml", (FOLDER / "groups.yaml").read_text("utf-8"))
FILES = {
    path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.yaml")) if path.stem != "groups"
}
INDUSTRIES = {
    "any", "saas", "billing", "manufacturing", "marketing", "fintech", "logistics", "services",
    "medical-supply", "financial-advisory", "retail-supply-chain",
}  # fmt: skip


def checked() -> dict[str, Checked]:
    found: dict[str, Checked] = {}
    for name, text in FILES.items():
        report = check([(f"{name}.yaml", text), GROUPS], LOCALES)
        assert report.errors == ()
        found |= {c.edition.key: c for c in report.programmes}
    return found


PRESETS = checked()
"""Every preset by its key."""


def variants() -> list[Any]:
    """Every preset with each of its variants active."""
    return [
        pytest.param({**document.data, "variant": name}, id=f"{document.data['key']}-{name}")
        for text in FILES.values()
        for document in read_documents(text)
        for name in document.data.get("variants", {})
    ]


def rules(key: str) -> Programme:
    return PRESETS[key].edition.programme


def test_there_is_a_file_for_each_industry_and_a_programme_for_each_row() -> None:
    assert set(FILES) == INDUSTRIES
    assert len(PRESETS) >= 33


@pytest.mark.parametrize("definition", variants())
def test_each_variant_is_as_sound_as_its_programme(definition: dict[str, Any]) -> None:
    report = check([("variant.yaml", json.dumps(definition)), GROUPS], LOCALES)
    assert report.errors == ()


@pytest.mark.requirement("R10", "R37", "R38", "R39", "R45", "R73", "R74", "R85", "R87")
@pytest.mark.parametrize("key", sorted(PRESETS))
def test_each_asks_why_by_group_of_the_score_and_says_what_follows_it_is_for(key: str) -> None:
    of = rules(key)
    texts = [q for q in of.questions if q.type == "text"]
    assert len(texts) == 3
    assert all(of.primary in q.when for q in texts)
    assert 2 <= longest_path(of.questions, of.core) <= (7 if of.family == "relationship" else 3)
    assert any(q.type == "consent" for q in of.questions)
    assert of.group
    assert of.stage
    assert of.close_the_loop.unhappy.ticket
    assert of.close_the_loop.unhappy.playbook
    assert of.close_the_loop.happy or of.close_the_loop.neutral


@pytest.mark.requirement("R42", "R10")
def test_relationship_surveys_pair_the_score_with_satisfaction_and_ask_what_matters_in_a_partner() -> None:
    relations = [
        c.edition.programme for c in PRESETS.values() if c.edition.programme.family == "relationship"
    ]
    assert len(relations) >= 9
    for of in relations:
        assert {"csat", "brand", "matrix"} <= {q.type.value for q in of.questions}


PUBLISHED = {"testimonial", "case_study", "success_story"}


@pytest.mark.requirement("R74", "R84")
def test_promoters_whose_words_are_wanted_are_asked_whether_they_may_be_published() -> None:
    asking = set()
    for key, found in PRESETS.items():
        of = found.edition.programme
        wanted = of.close_the_loop.happy is not None and of.close_the_loop.happy.task in PUBLISHED
        quotes = [q for q in of.questions if q.permission is Permission.QUOTE]
        assert bool(quotes) == (wanted or of.family == "relationship"), key
        for one in quotes:
            asking.add(key)
            assert one.optional, "nobody has to agree"
            assert set(one.text) == set(LOCALES)
            assert set(one.when) == {of.primary}
            praise = next(q for q in of.questions if q.id == "why_high")
            assert one.when == praise.when, "who is asked for praise is asked whether it may be published"
    assert len(asking) == 16


@pytest.mark.requirement("R53")
def test_none_asks_more_rarely_than_half_yearly_without_saying_why() -> None:
    for text in FILES.values():
        report = check([("p.yaml", text), GROUPS], LOCALES)
        assert [f for f in report.findings if "R53" in f.reason] == []
    assert rules("services-relationship").when.rare_because


def row(*numbers: str, key: str, moment: str, kind: str, **audience: Any) -> Any:
    """A row of the catalogue and the preset that stands for it."""
    marks = [pytest.mark.requirement(*numbers)]
    return pytest.param(key, moment, kind, audience, id=f"{numbers[0]}-{key}", marks=marks)


@pytest.mark.parametrize(
    ("key", "moment", "kind", "audience"),
    [
        row("R11", key="saas-onboarding", moment="customer.signed_up + 14d", kind="ces"),
        row("R12", key="saas-support", moment="support_ticket.resolved + 24h", kind="csat"),
        row("R13", key="saas-new-feature", moment="feature.released + 7d", kind="csat", who="product"),
        row("R14", key="saas-relationship-users", moment="every 3mo", kind="nps", persona=("user",)),
        row("R14", "R59", key="saas-relationship-decision-makers", moment="every 6mo", kind="nps",
            persona=("decision_maker",)),
        row("R15", key="manufacturing-delivery", moment="order.delivered + 2h", kind="csat"),
        row("R16", key="manufacturing-purchase", moment="purchase.completed + 6mo", kind="csat"),
        row("R17", key="manufacturing-support", moment="support_ticket.resolved + 24h", kind="csat"),
        row("R18", key="manufacturing-relationship", moment="every 6mo", kind="nps",
            persona=("decision_maker",)),
        row("R19", key="marketing-project-end", moment="project.completed + 2d", kind="nps", who="project"),
        row("R20", key="marketing-long-project", moment="every 6mo", kind="nps", who="project"),
        row("R21", key="fintech-onboarding", moment="integration.completed + 3d", kind="csat",
            job_function=("engineering", "it", "operations")),
        row("R22", key="fintech-first-transactions", moment="transaction.completed + 24h", kind="csat",
            job_function=("operations", "finance")),
        row("R23", key="fintech-usage", moment="every 3mo", kind="csat", persona=("user",)),
        row("R24", key="fintech-incident", moment="incident.resolved + 24h", kind="csat", role=("reporter",)),
        row("R25", key="fintech-relationship", moment="every 3mo", kind="nps", persona=("decision_maker",)),
        row("R26", key="logistics-delivery", moment="order.delivered + 0h", kind="csat", role=("receiver",)),
        row("R27", key="logistics-tracking", moment="tracking.viewed + 1h", kind="ces"),
        row("R28", key="logistics-claim", moment="claim.resolved + 24h", kind="csat"),
        row("R29", "R60", key="logistics-relationship", moment="every 6mo", kind="nps",
            tier=("key", "premium"), persona=("decision_maker",)),
        row("R30", key="services-service-end", moment="service.completed + 24h", kind="csat"),
        row("R30", key="services-project-end", moment="project.completed + 3d", kind="csat", who="project"),
        row("R31", key="services-progress", moment="every 1mo", kind="nps", role=("main_contact",)),
        row("R32", key="services-support", moment="support_ticket.resolved + 24h", kind="csat"),
        row("R33", key="services-relationship", moment="every 12mo", kind="nps",
            persona=("decision_maker",)),
        row("R34", key="billing-implementation", moment="implementation.completed + 30d", kind="nps"),
        row("R34", key="billing-first-cycle", moment="billing_cycle.closed + 2d", kind="nps"),
        row("R34", key="billing-support", moment="support_ticket.resolved + 24h", kind="nps"),
        row("R34", key="billing-renewal", moment="90d before", kind="nps", persona=("decision_maker",)),
        row("R35", key="any-renewal", moment="60d before", kind="nps", persona=("decision_maker",)),
        row("R36", key="any-deal-closed", moment="by hand", kind="nps"),
        row("R36", key="any-first-use", moment="feature.first_used + 24h", kind="nps"),
        row("R78", key="any-after-recovery", moment="support.contacted + 2h", kind="csat"),
        row("R89", key="any-support-effort", moment="support_ticket.resolved + 24h", kind="ces"),
        row("R89", key="any-buying", moment="purchase.completed + 2d", kind="ces"),
        row("R90", key="medical-delivery", moment="order.delivered + 2h", kind="csat"),
        row("R90", key="advisory-review", moment="service.completed + 24h", kind="csat"),
        row("R90", key="retail-claim", moment="claim.resolved + 24h", kind="csat"),
    ],
)  # fmt: skip
def test_each_row_stands_as_the_guides_have_it(
    key: str, moment: str, kind: str, audience: dict[str, Any]
) -> None:
    of = rules(key)
    assert (_moment(of), of.core.type.value) == (moment, kind)
    found = of.audience.model_dump()
    assert {name: found[name] for name in audience} == audience


@pytest.mark.requirement("R19", "R20", "R25", "R29", "R33")
def test_where_the_guides_differ_there_are_variants() -> None:
    named = {
        document.data["key"]: list(document.data["variants"])
        for text in FILES.values()
        for document in read_documents(text)
        if "variants" in document.data
    }
    assert named["marketing-project-end"] == ["after-3-months", "after-6-months"]
    assert named["marketing-long-project"] == ["after"]
    assert named["fintech-relationship"] == ["half-yearly-with-users"]
    assert named["logistics-relationship"] == ["on-request", "account-management"]
    assert named["services-relationship"] == ["every-3-months", "every-6-months"]
    assert {"saas-onboarding", "fintech-onboarding", "services-project-end", "services-progress"} <= set(
        named
    )


@pytest.mark.requirement("R40")
def test_some_recommend_questions_are_about_one_thing() -> None:
    plain = rules("any-renewal").core.text
    nps = [c.edition for c in PRESETS.values() if c.edition.programme.primary == "nps"]
    about_one = {
        edition.key
        for edition in nps
        if all(edition.programme.core.text[locale] != plain[locale] for locale in LOCALES)
    }
    assert about_one == {
        "billing-implementation", "billing-first-cycle", "billing-support",
        "marketing-project-end", "services-progress",
    }  # fmt: skip


DRIVERS = {
    "saas": {"implementation", "account_manager", "bugs", "ui", "value"},
    "manufacturing": {"partnership", "implementation", "support"},
    "marketing": {"campaign_effectiveness", "message_quality", "creative", "client_experience"},
    "fintech": {"security", "integration", "speed", "support",
                "implementation", "account_manager", "bugs", "ui", "value"},
    "logistics": {"punctuality", "goods_condition", "traceability", "service",
                  "fulfilment", "reliability", "communication", "partnership"},
    "services": {"quality", "response_time", "expertise", "value_for_money",
                 "reliability", "support", "communication"},
}  # fmt: skip
"""What customers of an industry judge by, as both guides have it together."""


def rated(of: Programme) -> set[str]:
    """What people are asked to rate."""
    return {item.id for q in of.form.questions if q.type == "matrix" for item in q.items}


@pytest.mark.requirement("R41")
@pytest.mark.parametrize("industry", DRIVERS)
def test_an_industry_rates_what_its_customers_judge_by(industry: str) -> None:
    own = [document.data["key"] for document in read_documents(FILES[industry])]
    asked = {key: rated(rules(key)) for key in own}
    assert DRIVERS[industry] <= set().union(*asked.values())
    assert any(DRIVERS[industry] & items for items in asked.values())
    for key in own:
        for question in rules(key).form.questions:
            for item in question.items:
                assert set(item.text) >= set(LOCALES), f"{key}: {item.id}"


@pytest.mark.requirement("R44", "R59")
def test_those_who_decide_are_asked_about_other_things_than_those_who_use() -> None:
    users, deciders = rules("saas-relationship-users"), rules("saas-relationship-decision-makers")
    assert {"ui", "bugs"} <= rated(users) - rated(deciders)
    assert {"value", "account_manager"} <= rated(deciders)
    assert users.letter.intro != deciders.letter.intro
    assert users.purpose != deciders.purpose


@pytest.mark.requirement("R88")
@pytest.mark.parametrize("file", FILES)
def test_each_has_a_name_and_a_purpose_of_its_own_in_every_language(file: str) -> None:
    own = [rules(document.data["key"]) for document in read_documents(FILES[file])]
    for locale in LOCALES:
        assert len({of.title[locale] for of in own}) == len(own), "no two have the same name"
        assert len({of.purpose[locale] for of in own}) == len(own)
    for of in own:
        assert set(of.title) == set(of.purpose) == set(LOCALES)
        assert len(set(of.purpose.values())) == len(LOCALES), "said in each language"


@pytest.mark.requirement("R13")
def test_a_new_feature_is_asked_about_by_satisfaction_and_by_effort() -> None:
    assert {"csat", "ces"} <= {q.type.value for q in rules("saas-new-feature").questions}


@pytest.mark.requirement("R78")
def test_after_trouble_the_quarantine_does_not_hold_the_question_back() -> None:
    of = rules("any-after-recovery")
    assert of.quarantine.exempt
    assert of.when.holds == ()


@pytest.mark.requirement("R85", "R86")
@pytest.mark.parametrize("file", FILES)
def test_a_file_copied_beside_the_shipped_programmes_runs_with_them(file: str) -> None:
    """As docs/programmes.md says: with `groups.yaml`, which then holds for all of them."""
    shipped = [(path.name, path.read_text("utf-8")) for path in sorted(FOLDER.parent.glob("*.yaml"))]
    report = check([*shipped, (f"{file}.yaml", FILES[file]), GROUPS], LOCALES)
    assert report.errors == ()
    goals = report.groups.groups
    assert all(goals[c.edition.programme.group].goal for c in report.programmes)


@pytest.mark.requirement("R86")
def test_goals_are_about_what_the_programmes_of_their_group_ask_or_about_contracts() -> None:
    asked: dict[str, set[str]] = {}
    for found in PRESETS.values():
        of = found.edition.programme
        asked.setdefault(of.group, set()).update(question.type.value for question in of.questions)
    groups = check([("saas.yaml", FILES["saas"]), GROUPS], LOCALES).groups.groups
    assert set(asked) == set(groups)
    for name, group in groups.items():
        assert group.goal
        assert group.goal.metric in EVENTS or group.goal.metric.value in asked[name], name


def test_presets_run_only_when_they_are_chosen() -> None:
    names = [name for name, _ in read_folder(FOLDER.parent)]
    assert names
    assert not any("presets" in name for name in names)
    assert len(read_folder(FOLDER)) == len(INDUSTRIES) + 1


def _moment(of: Programme) -> str:
    when = of.when
    if when.by_hand:
        return "by hand"
    if when.before:
        return f"{when.by.text} before"
    return f"every {when.every.text}" if when.recurring else f"{when.touchpoint[0]} + {when.delay.text}"
