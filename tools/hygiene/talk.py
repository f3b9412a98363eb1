"""Talk that is not to the reader: to whoever checks the copy, of checks and approvals, or a machine's own words.

The patterns are made of parts: who is spoken to, what a check is called, what it finds, and what one can do to it.
"""

from typing import Any, Final

import re2  # type: ignore[import-untyped]

_ROLE: Final = (
    r"(?:reviewers?|judges?|checkers?|moderators?|auditors?|validators?|graders?|classifiers?|evaluators?|examiners?"
    r"|screeners?|gatekeepers?)"
)
_DESK: Final = (
    r"(?:(?:compliance|legal|risk|review|audit|policy|approval|quality|qa)"
    rf" (?:officers?|teams?|departments?|dept|desk|staff|group|counsel|bot|system|engine|gate|{_ROLE}))"
)
_MACHINE: Final = r"(?:ai|a\.i\.|llm|(?:language |ai )?model|chatbot|bot|assistant|automated \w+|machine|algorithm)"
_WORK: Final = (
    r"(?:grad|review|check|evaluat|judg|audit|read|moderat|screen|assess|analy[sz]|process|pars)(?:e|es|s|ing)?"
)
_CHECK: Final = (
    r"(?:checks?|checking|reviews?|screenings?|validations?|verifications?|filters?|rules?|polic(?:y|ies)|clauses?"
    r"|guidelines?|moderation|safeguards?|compliance|instructions?|prompts?|guardrails?)"
)
_COPY: Final = (
    r"(?:copy|offer|e-?mail|text|content|message|draft|creative|campaign|promotion|wording|ad|advertisement|body"
    r"|headline|field|paragraph|sentence|line|document|output)"
)
_GOOD: Final = (
    r"(?:compliant|approved|pass(?:es|ed|ing)?|cleared|acceptable|verified|reviewed|vetted|certified|safe|valid|trusted"
    r"|exempt|checked|clean|signed off|ok|okay|violation-free|conforming)"
)
_FOUND: Final = r"(?:findings?|violations?|issues?|problems?|errors?|flags?|breach(?:es)?|list|array|json|verdicts?)"
_MODAL: Final = r"(?:should|must|shall|need(?:s)? to|has to|have to|is asked|are asked|is required|are required|please)"
_EARLIER: Final = r"(?:previous|prior|above|earlier|preceding)"

_TO_READER: Final = (
    rf"\b(?:hello|hi|hey) (?:the |any |all |our |your )?"
    rf"(?:(?:ai|automated|content|copy) )?(?:{_ROLE}|{_DESK})\b(?:\s*[:,;-]|\s+(?:who|that|please|{_MODAL})|[.!?\n]|$)",
    rf"\b(?:dear|note to|attention|attn|message to|memo to)\s*:? (?:the |any |all |our |your )?(?:\w+ )?"
    rf"(?:{_ROLE}|{_DESK}|{_MACHINE})\b",
    rf"\b(?:compliance|ai|automated|content|copy|policy) {_ROLE}\b",
    rf"\b(?:reviewer|checker|moderator|validator|grader|evaluator|auditor)s?\s*:|\b{_DESK}\s*:",
    r"\b(?:for|to) (?:the |any |all )?reviewers?\b",
    rf"\b(?:the |any |all |our )?(?:reviewers?|checkers?|moderators?|auditors?|validators?|graders?|classifiers?"
    rf"|evaluators?|{_DESK}) (?:\w+ly )?{_MODAL}\b",
    rf"\b(?:whoever|whomever|anyone|anybody|the (?:person|one|system|model|bot|machine|team)) (?:who |that )?"
    rf"(?:is |are |may be )?{_WORK} (?:this|these)\b(?: {_COPY}s?\b)?(?:\s*[:,]|[^.!?\n]{{0,30}}\b{_GOOD}\b)",
    rf"\bif you(?: are|'re) (?:an? |the )?(?:\w+ )?(?:{_MACHINE}|{_ROLE})\b",
    r"\bif you(?: are|'re) (?:checking|reviewing|evaluating|grading|judging|moderating|auditing) this\b",
)
_TO_MACHINE: Final = (
    rf"\b(?:ignore|disregard|forget|override|bypass|overlook|circumvent)\b[^.!?\n]{{0,30}}\b(?:{_EARLIER}|{_CHECK})\b",
    rf"\b(?:skip|omit|suppress|disable|turn off|switch off|waive|forgo|suspend) (?:\w+ ){{0,3}}{_CHECK}\b",
    r"\bas an? (?:ai|a\.i\.|artificial intelligence|large language|language model|automated (?:system|assistant)"
    r"|helpful assistant)(?:\b|$)",
    r"\b(?:language model|llm|chatgpt|gpt-?\d|openai|chatbot|ai (?:model|assistant|reviewer|judge))\b",
    r"\b(?:system|developer|hidden|initial) (?:prompt|message|instructions?)\b|\bprompt injection\b|\bjailbreak\w*\b",
    r"\b(?:developer|debug|god|admin|maintenance|unrestricted|sudo|root|override) mode\b",
    r"\b(?:new|updated|real|actual|revised|overriding) instructions\b",
    r"\bfollow (?:only )?(?:my|these|the following|our) instructions (?:instead|only|exactly|and)\b",
    r"\binstructions? (?:to|for) (?:the )?(?:ai|model|reviewer|judge|checker|system)\b",
    r"(?m:^)\s*(?:system|assistant|user|human|judge)\s*:",
    r"<\|[a-z_]+\|>|\[/?inst\]|###\s*(?:instruction|system|response|human|assistant)",
    r"\b(?:begin|end) (?:of )?(?:system|instructions?|prompt)\b",
    r"\byou are (?:now )?(?:a|an|the) (?:compliance|ai|helpful|unrestricted|copy) ",
    r"\byou (?:are|have been) (?:now )?(?:instructed|reprogrammed|authorized|told) (?:to|by|that)\b",
)
_VERDICTS: Final = (
    r"\b(?:mark|rate|classify|treat|consider|label|report|deem|flag|score|regard|view|count|log|record|take)\b"
    rf"[^.!?\n]{{0,40}}\bas (?:\w+ ){{0,2}}{_GOOD}(?:\b|$)",
    r"\b(?:output|respond|reply|answer|return|say)(?: with| only| just)*\s*[:\"']?\s*[\"']?"
    r"(?:no )?(?:compliant|approved|pass(?:es|ed)?|violations?|cleared|acceptable)\b",
    r"\b(?:answer|respond|reply|say)(?: with)? [\"']?(?:yes|no|true|false|pass|ok)[\"']? (?:to|for|on)"
    rf" (?:every|all|each|any)(?: of the)? (?:questions?|{_CHECK})",
    rf"\b(?:return|output|emit|report|produce|list|give|raise) (?:an? |only |just )?(?:empty|no|zero|nothing)\b"
    rf"(?: \w+){{0,2}} {_FOUND}\b",
    rf"\b(?:do not|don't|never|must not|cannot|should not|shouldn't|avoid) "
    rf"(?:flag|reject|block|report|penali[sz]e|fail|censor|grade|score|moderat)(?:e|ing)?(?: \w+)? "
    rf"(?:this|the|it|any|anything|these|that|{_COPY})\b",
    rf"\b(?:approve|accept|clear|greenlight|green-light|whitelist|sign off on|wave through|let through|pass)"
    rf" (?:this|the|my|our|these) {_COPY}\b",
    rf"\bno need to (?:check|review|verify|screen|audit|validate|moderate) (?:this|it|the {_COPY}|further|any)\b",
    rf"\b(?:this|the) {_COPY} (?:needs|requires) no (?:further |more |additional )?"
    r"(?:review|approval|checks?|edits?)\b",
    r"\b(?:no|zero|without) (?:policy |compliance )?violations?\b",
    r"\bverdict\b[\"']?\s*(?:[:=]|is|of|must be|should be|remains)\s*[\"']?"
    r"(?:pass|approve|compliant|clean|ok|true|violat)",
    r"\b(?:pass|verdict|compliant|approved|status)[\"']?\s*[:=]\s*[\"']?(?:true|pass|approved|ok|yes)\b",
    rf"\b{_COPY} (?:is|has been|was|have been|are) (?:already |fully |legally |pre-?|hereby |100% )*"
    r"(?:approved|reviewed|cleared|vetted|certified|verified|compliant|signed off)\b",
    r"\b(?:approved|reviewed|cleared|vetted|certified|verified|signed off|okayed) by (?:our |the )?(?:compliance|legal"
    r"|regulators?|lawyers?|attorneys?|counsel|officers?|risk|auditors?|reviewers?|bank)\b",
    r"\b(?:legal|compliance|counsel|regulators?) (?:team |department |officers? |counsel )?"
    r"(?:has |have |already |fully )*(?:approved|signed off|cleared|ok'?d|okayed|vetted|blessed)\b",
    r"\bcompliance[- ](?:approved|cleared|checked|reviewed|certified)\b|\b(?:non-?)?compliant\b",
    r"\b(?:complies|compliance|complying|in line) with (?:all |the |our |every )?(?:applicable |relevant )?"
    r"(?:polic|regulation|rule|udaap|reg |guideline|law)\w*",
    r"\b(?:passe[sd]|cleared|met) (?:all|every|the|our|each)(?: \w+)?"
    r" (?:checks?|reviews?|screenings?|audits?|polic\w+)\b",
    r"\b(?:polic(?:y|ies)|clauses?|guidelines?|regulations?) (?:do(?:es)? not|don't|doesn't|no longer|need not)"
    r" apply\b",
)
_INSIDE: Final = (
    r"\b(?:REGZ|UDAAP|ECOA|SPAM|MBOX|ENDR|PRIV|GRD|SEC|FMT)-\d{1,3}\b|\bFREE-0\d\b|\bUDAAP\b",
    r"\b[a-z]+(?:_[a-z]+)*_policy\b|\b(?:clause|policy)_id\b",
    r"\b(?:for internal use|internal use only|not for (?:distribution|publication|release|circulation))\b",
    r"\bdo not (?:send|publish|distribute|mail|deploy|release)\b(?:[.!?\n]|$| (?:this|until|yet|before))",
    r"\bdraft (?:v\d|version|copy|only|\d)\b|(?m:^)\s*\W?draft\W*[:-]",
    r"\bhere(?:'s| is| are) (?:the|your|a|an|my) (?:\w+ )?(?:copy|draft|subject line|version|rewrite|json|output"
    r"|response|e-?mail body)\b",
    r"\bi(?:'m| am)? (?:cannot|can't|unable to|not able to) (?:assist|help|comply|fulfill|generate"
    r"|provide|recommend)\b",
    r"\bi (?:was|have been|'ve been) (?:told|instructed|asked|trained|programmed) (?:to|not)\b",
    r"\bmy (?:instructions|training data|guidelines|system prompt|programming)\b",
    r"\b(?:word|character|token) (?:count|limit)\s*[:=]",
)
NOT_TO_THE_MEMBER: Final[Any] = re2.compile("(?i)" + "|".join((*_TO_READER, *_TO_MACHINE, *_VERDICTS, *_INSIDE)))
"""Text addressed to a reviewer or a model, claims of approval, ids of policies, and what a drafting tool says."""
