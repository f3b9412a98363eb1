"""Copy that anyone wrote, checked against the policy set: one JSON object in, one reply out."""

from tools.standalone.checker import Checker
from tools.standalone.judged import JudgedChecker, has_judge_clause, in_order
from tools.standalone.reading import parse_json, read_request
from tools.standalone.reply import CheckReply
from tools.standalone.request import CheckRequest, Unreadable

__all__ = [
    "CheckReply",
    "CheckRequest",
    "Checker",
    "JudgedChecker",
    "Unreadable",
    "has_judge_clause",
    "in_order",
    "parse_json",
    "read_request",
]
