"""Events in: each handler folds its aggregates in log order and writes them set-based."""

from __future__ import annotations

from services.dispatch.handlers.answers import on_answers, on_incentives
from services.dispatch.handlers.directory import on_accounts, on_contacts, on_organisation, on_programmes
from services.dispatch.handlers.notes import on_notes
from services.dispatch.handlers.surveys import on_surveys
from shared.contracts import directory, messages, programmes, responses, surveys
from shared.contracts.topics import Topic
from shared.runtime.consumer import Route, Subscription

SUBSCRIPTION = Subscription(
    topics=(Topic.SURVEYS, Topic.MESSAGES, Topic.RESPONSES, Topic.DIRECTORY, Topic.PROGRAMMES),
    routes=(
        Route((directory.OrganisationChanged.TYPE,), on_organisation),
        Route((directory.AccountChanged.TYPE,), on_accounts),
        Route((programmes.ProgrammePublished.TYPE,), on_programmes),
        Route(
            (
                surveys.SurveyRequested.TYPE,
                surveys.SurveyReminderRequested.TYPE,
                surveys.SurveyExtended.TYPE,
                surveys.SurveyCancelled.TYPE,
                surveys.SurveyClosed.TYPE,
            ),
            on_surveys,
        ),
        Route((messages.MessageRequested.TYPE,), on_notes),
        Route(
            (
                responses.ResponseStarted.TYPE,
                responses.ResponseSubmitted.TYPE,
                responses.ResponseAmended.TYPE,
                responses.ResponseHeld.TYPE,
                responses.ResponseReleased.TYPE,
                responses.ResponseWithdrawn.TYPE,
            ),
            on_answers,
        ),
        Route((responses.IncentiveChanged.TYPE,), on_incentives),
        Route((directory.ContactChanged.TYPE, directory.ContactErased.TYPE), on_contacts),
    ),
)
"""What dispatch listens to. Contacts come last: an erasure must also blank what the same batch brought."""
