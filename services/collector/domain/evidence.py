"""What speaks for a machine, how much it weighs, and what it means in words."""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """Why an answer is taken for a machine's or, last, for a person's after all."""

    HONEYPOT_FILLED = "honeypot_filled"
    TOO_FAST = "too_fast"
    DRIVEN = "driven"
    NOT_STYLED = "not_styled"
    NAMED_TOOL = "named_tool"
    TRAP_OPENED = "trap_opened"
    TRAP_BEFORE = "trap_before"
    ALL_SCORES_OPENED = "all_scores_opened"
    SEVERAL_SCORES_OPENED = "several_scores_opened"
    TWO_SCORES_OPENED = "two_scores_opened"
    SCORES_ONE_BY_ONE = "scores_one_by_one"
    RIGHT_AFTER_HAND_OVER = "right_after_hand_over"
    HEAD_FIRST = "head_first"
    SEVERAL_ADDRESSES = "several_addresses"
    FORGED_NONCE = "forged_nonce"
    NO_BROWSER = "no_browser"
    TOOK_TIME = "took_time"


WEIGHTS: dict[Evidence, int] = {
    Evidence.HONEYPOT_FILLED: 3,
    Evidence.TOO_FAST: 3,
    Evidence.DRIVEN: 3,
    Evidence.NOT_STYLED: 3,
    Evidence.NAMED_TOOL: 3,
    Evidence.TRAP_OPENED: 3,
    Evidence.TRAP_BEFORE: 2,
    Evidence.ALL_SCORES_OPENED: 3,
    Evidence.SEVERAL_SCORES_OPENED: 3,
    Evidence.TWO_SCORES_OPENED: 2,
    Evidence.SCORES_ONE_BY_ONE: 3,
    Evidence.RIGHT_AFTER_HAND_OVER: 2,
    Evidence.HEAD_FIRST: 1,
    Evidence.SEVERAL_ADDRESSES: 1,
    Evidence.FORGED_NONCE: 2,
    Evidence.NO_BROWSER: 1,
    Evidence.TOOK_TIME: -1,
}

MEANINGS: dict[Evidence, str] = {
    Evidence.HONEYPOT_FILLED: "A field that no person sees was filled.",
    Evidence.TOO_FAST: "The form came back within a second of its page.",
    Evidence.DRIVEN: "The page's script ran and saw neither touch nor key, or a program at the wheel.",
    Evidence.NOT_STYLED: "Who sent it claims to be a browser and never loaded the page's style sheet.",
    Evidence.NAMED_TOOL: "The program that sent it calls itself a tool.",
    Evidence.TRAP_OPENED: "The link that no person sees was opened with it, or from its address.",
    Evidence.TRAP_BEFORE: "Its address opened all links in haste, the hidden one too, just before the page.",
    Evidence.ALL_SCORES_OPENED: "Every score of the mail was opened within ten seconds.",
    Evidence.SEVERAL_SCORES_OPENED: "Several scores were opened within ten seconds.",
    Evidence.TWO_SCORES_OPENED: "Two scores were opened within ten seconds, as after a slip of the thumb.",
    Evidence.SCORES_ONE_BY_ONE: "Its address opened three scores or more within half an hour, one by one.",
    Evidence.RIGHT_AFTER_HAND_OVER: "Its page was opened before a person could have read the message.",
    Evidence.HEAD_FIRST: "Its address first asked for headers alone, which browsers do not do.",
    Evidence.SEVERAL_ADDRESSES: "Three addresses or more opened several links together.",
    Evidence.FORGED_NONCE: "Its address sent a form that was no page of ours.",
    Evidence.NO_BROWSER: "The program that sent it is no browser that we know.",
    Evidence.TOOK_TIME: "Somebody took ten seconds or more and wrote words: this speaks for a person.",
}
