"""Stand-alone checks with a judge: many drafts read at once, replies in the order of the lines, memory bounded."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tools.judging import ModelJudge
from tools.policies import NOT_ASKED
from tools.prompt_files import Prompt
from tools.standalone.checker import Checker
from tools.standalone.reply import CheckReply
from tools.standalone.request import CheckRequest

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_END = object()


@dataclass(frozen=True, slots=True)
class JudgedChecker:
    """A checker with a judge, which is asked only where the deterministic part leaves the verdict open."""

    checker: Checker
    judge: ModelJudge
    prompt: Prompt

    async def check(self, request: CheckRequest, *, keep: bool = False) -> CheckReply:
        """Return the reply to a request; a judge that fails leaves its clauses unknown. `keep` as `ModelJudge.read`."""
        begun = await asyncio.to_thread(self.checker.begin, request)
        if not begun.questions:
            return await asyncio.to_thread(self.checker.end, begun, NOT_ASKED)
        judged = await self.judge.read(begun.subject, begun.questions, prompt=self.prompt, keep=keep)
        return await asyncio.to_thread(self.checker.end, begun, judged.findings)


def has_judge_clause(checker: Checker) -> bool:
    """Tell whether an active clause of the checker's policies is a judge's: otherwise none is needed."""
    return any(clause.clause.kind == "judge" for policy in checker.gate.policies.active for clause in policy.clauses)


async def in_order(
    items: Iterator[ItemT], work: Callable[[ItemT], Awaitable[ResultT]], *, at_once: int
) -> AsyncIterator[ResultT]:
    """Yield the results of the items in their order, with at most `at_once` items taken and not yet yielded."""
    flying: deque[asyncio.Task[ResultT]] = deque()

    async def one(item: ItemT) -> ResultT:
        return await work(item)

    try:
        while (item := await asyncio.to_thread(next, items, _END)) is not _END:
            flying.append(asyncio.create_task(one(item)))  # type: ignore[arg-type]
            if len(flying) >= at_once:
                yield await flying.popleft()
        while flying:
            yield await flying.popleft()
    finally:
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
