"""What docs/studio.md shows, done with Studio's own client: `python -m tests.e2e.studio_walk` beside `make studio`.

Each step is one thing a person does in Studio. A test runs it all, so that the page can't tell of what isn't there.
"""

import argparse
import asyncio
import re
from pathlib import Path
from typing import Any, Final

from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

GRAPH: Final = "offergraph"
PROMISE: Final = "Guaranteed approval! "
"""What no policy lets a draft say."""


class Walk:
    """One walk through a running server; what it sees goes to the console."""

    def __init__(self, client: LangGraphClient, console: Console, user_id: str, domain: str) -> None:
        self.client, self.console = client, console
        self.given: Any = {"user_id": user_id, "domain": domain, "confidence_score": 0.9}

    async def all(self) -> None:
        """Take every step in the order of the page."""
        await self.first_run()
        thread = await self.stop_and_edit()
        await self.fork(thread)
        await self.one_node_again(thread)
        await self.review()
        await self.assistant()

    async def first_run(self) -> str:
        """Run a prediction and listen to what each node says."""
        self._title("A first run", "stream_mode='custom'")
        thread = await self._thread()
        async for part in self.client.runs.stream(thread, GRAPH, input=self.given, stream_mode="custom"):
            if part.event == "custom":
                self._event(part.data)
        return thread

    async def stop_and_edit(self) -> str:
        """Stop before the gate, put a forbidden promise into the draft, and go on."""
        self._title("Stop before a node, edit the state, go on", "interrupt_before=['check_compliance']")
        thread = await self._thread()
        await self._run(thread, self.given, interrupt_before=["check_compliance"])
        state = await self.client.threads.get_state(thread)
        if state["next"] != ["check_compliance"]:
            raise SystemExit("no offer is drafted for that member: see the outcome above, and choose another --user-id")
        draft = state["values"]["draft"]  # type: ignore[call-overload]  # the client's type is too narrow
        self._say("next", ", ".join(state["next"]))
        self._say("draft", f"{draft['option_id']}: {draft['text']['headline']}")
        body = PROMISE + draft["text"]["body"]
        edited = draft | {"source": "model", "block_ids": None, "text": draft["text"] | {"body": body}}
        await self.client.threads.update_state(thread, {"draft": edited})
        self._say("edited", f"body begins {PROMISE.strip()!r} now")
        await self._run(thread)
        values: Any = (await self.client.threads.get_state(thread))["values"]
        for attempt in values["history"]:
            violations = [v for v in attempt["report"]["violations"] if v["quote"]]
            broken = sorted({f"{v['policy_id']}/{v['clause_id']}" for v in violations})
            self._say("checked", f"{attempt['report']['verdict']}  {', '.join(broken[:3])}")
        self._say("outcome", values["output"]["recommendation"])
        return thread

    async def fork(self, thread: str) -> None:
        """Go back to the checkpoint before the draft and run on from there; what came after it stays in the history."""
        self._title("Fork from an earlier checkpoint", "checkpoint_id=...")
        history: Any = await self.client.threads.get_history(thread, limit=100)
        earlier = next(state for state in history if state["next"] == ["draft"])
        self._say("from", f"the checkpoint before draft, one of {len(history)}")
        self._say("ran", ", ".join(await self._run(thread, checkpoint_id=earlier["checkpoint_id"])))
        after: Any = await self.client.threads.get_history(thread, limit=100)
        self._say("kept", f"{len(history)} checkpoints of before, {len(after) - len(history)} new ones")

    async def one_node_again(self, thread: str) -> None:
        """Run a single node again: say that the one before it has just ended, and stop after it."""
        self._title("Run one node again", "update_state(as_node='analyze_llm'), interrupt_after=['draft']")
        await self.client.threads.update_state(thread, {"attempts": 0}, as_node="analyze_llm")
        self._say("ran", ", ".join(await self._run(thread, interrupt_after=["draft"])))
        self._say("next", ", ".join((await self.client.threads.get_state(thread))["next"]))

    async def review(self) -> None:
        """Ask for a person, and answer."""
        self._title("Be the reviewer", "context={'require_review': True}")
        thread = await self._thread()
        reviewed = {"require_review": True}
        await self._run(thread, self.given, context=reviewed)
        state: Any = await self.client.threads.get_state(thread)
        question = state["tasks"][0]["interrupts"][0]["value"]
        self._say("asked", f"{question['question']} {question['copy']['headline']}")
        await self._run(thread, command={"resume": {"decision": "reject"}}, context=reviewed)
        values: Any = (await self.client.threads.get_state(thread))["values"]
        self._say("outcome", f"{values['output']['recommendation']}: {values['output']['error']}")

    async def assistant(self) -> None:
        """Keep a context of one's own: an assistant that never sends a draft back."""
        self._title("Keep a context as an assistant", "assistants.create(context={'max_revisions': 0})")
        made = await self.client.assistants.create(GRAPH, context={"max_revisions": 0}, name="no second draft")
        thread = await self._thread()
        ran = await self._run(thread, self.given, assistant=made["assistant_id"])
        values: Any = (await self.client.threads.get_state(thread))["values"]
        self._say("ran", ", ".join(ran))
        self._say("revisions", f"at most {values['run']['max_revisions']}")
        await self.client.assistants.delete(made["assistant_id"])

    async def _thread(self) -> str:
        return str((await self.client.threads.create())["thread_id"])

    async def _run(self, thread: str, given: Any = None, *, assistant: str = GRAPH, **options: Any) -> list[str]:
        nodes: list[str] = []
        async for part in self.client.runs.stream(thread, assistant, input=given, stream_mode="updates", **options):
            if part.event == "error":
                raise RuntimeError(part.data)
            if part.event == "updates":
                nodes += [name for name in part.data if not name.startswith("__")]
        return nodes

    def _title(self, title: str, how: str) -> None:
        self.console.print(Text(f"\n{title}", style="bold"), Text(f"  {how}", style="cyan"), sep="")

    def _say(self, label: str, text: str) -> None:
        self.console.print(Text(f"  {label:<10}", style="dim"), Text(text), sep="", soft_wrap=False)

    def _event(self, event: dict[str, Any]) -> None:
        if event["event"] == "doing":
            self.console.print(Text(f"  {event['node']:<18}", style="magenta"), Text(event["doing"]), sep="")
            return
        shown = {name: value for name, value in event.items() if name not in ("event", "node", "view")}
        told = ", ".join(f"{name} {_short(value)}" for name, value in shown.items())
        self.console.print(Text(f"  {'':<18}"), Text(told, style="dim"), sep="")


def _short(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def main() -> None:
    """Walk through a running server, and take its picture if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.studio_walk", description=main.__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:2024", help="where `make studio` listens")
    parser.add_argument("--user-id", default="USER_000006")
    parser.add_argument("--domain", default="Travel")
    parser.add_argument("--svg", type=Path, help="write what was printed as a picture")
    chosen = parser.parse_args()
    console = Console(record=chosen.svg is not None, width=110)
    walk = Walk(get_client(url=chosen.url), console, chosen.user_id, chosen.domain)
    asyncio.run(walk.all())
    if chosen.svg is not None:
        own_fonts = re.sub(
            r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL
        )  # rich's come from a CDN
        console.save_svg(str(chosen.svg), title="a walk through the graph", code_format=own_fonts)


if __name__ == "__main__":
    main()
