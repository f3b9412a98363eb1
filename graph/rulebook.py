"""The rulebook: all that is read from policies, prompts and the ledger, compiled once while nothing changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from graph.gate import gate_of, gate_with, with_texts
from graph.settings import Attestation, Settings
from tools.analysis import ANALYZE_STEP
from tools.copy_approvals import Approval
from tools.copy_blocks import CopyBlocks, load_copy_blocks
from tools.copy_cover import required_cover, unapproved_by
from tools.delivery.texts import DeliveryTexts, load_delivery_texts
from tools.disclosures import Disclosures, load_disclosures
from tools.drafting import DRAFT_STEP
from tools.email.received import Received, load_received
from tools.errors import PolicyInvalid
from tools.hypotheses import Hypotheses, load_hypotheses
from tools.judging import JUDGE_STEP
from tools.menus import Ladders, Menus, read_ladders
from tools.merchants import Catalogue, load_catalogue
from tools.policies.gate import Gate
from tools.policies.policy_set import PolicySet
from tools.policies.stored import Standing, compile_standing
from tools.prompt_files import Prompt, PromptSet, load_prompts
from tools.prompt_leaks import Instructions

PROMPTS: Final = {"analyze": ANALYZE_STEP, "draft": DRAFT_STEP, "judge": JUDGE_STEP}
"""Every prompt file, and what its step provides and answers to."""

SHOWN_CLAUSES: Final = 5
KEPT_PROMPTS: Final = 32
"""Edited prompts that runs which began before the edit may still use; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A prompt that was edited since, and what it tells models."""

    prompt: Prompt
    instructions: Instructions


@dataclass(frozen=True, slots=True, repr=False)
class Rulebook:
    """All that is read from `policies/`, `prompts/` and the ledger's policies: what decides, wherever it runs."""

    policies: PolicySet
    gate: Gate
    catalogue: Catalogue
    ladders: Ladders
    menus: Menus
    blocks: CopyBlocks
    disclosures: Disclosures
    deliveries: DeliveryTexts
    received: Received
    hypotheses: Hypotheses
    prompts: PromptSet
    instructions: Instructions
    files_sha: str
    """Names the bytes of every file of the policies folder."""
    displaced: Mapping[str, Displaced] = field(default_factory=dict)
    """By digest, prompts that were edited while the process ran, for runs that began before."""
    stored: str = ""
    """Names the policies of the ledger, by version and hash."""
    epoch: int = 0
    """The ledger's policy epoch this rulebook holds; 0 is that of a ledger that never had a policy of its own."""

    def __repr__(self) -> str:
        """Name the set: all of it is megabytes."""
        return f"Rulebook({self.policies.sha[:12]}, epoch {self.epoch})"

    @property
    def sha(self) -> str:
        """Name all this was read from: the policies folder's bytes, the prompts' digests and the ledger's policies."""
        prompts = (f"{name} {digest}" for name, digest in self.prompts.digests.items())
        return sha256("\0".join((self.files_sha, *prompts, self.stored)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Sources:
    """All that a rulebook is made of: two folders, named with the bytes they hold, and what settings say of it."""

    policies_dir: Path
    prompts_dir: Path
    sha: str
    issuer: str
    attestations: tuple[tuple[str, Attestation], ...]
    judged: bool
    split: tuple[str, ...]
    prompted: bool


def load_rulebook(settings: Settings, *, approvals: Iterable[Approval] = (), prompted: bool = True) -> Rulebook:
    """Read and check policies, menus, merchants, copy blocks and prompts; files that are as they were, once.

    `approvals` of copy are records beside those of `approvals.yaml`. Without `prompted`, no prompt is
    read: that is for looking at prompts that may be broken. Raises PolicyInvalid or PromptInvalid.
    """
    sources = _Sources(
        policies_dir=settings.policies_dir,
        prompts_dir=settings.prompts_dir,
        sha=_folder_sha(settings.policies_dir, settings.prompts_dir),
        issuer=settings.brand_issuer,
        attestations=tuple(sorted(settings.effective_attestations.items())),
        judged=settings.effective_judge_model is not None,
        split=settings.split_names,
        prompted=prompted,
    )
    more = tuple(approvals)
    return _rulebook(sources, more) if more else _known_rulebook(sources)


@lru_cache(maxsize=8)
def _known_rulebook(sources: _Sources) -> Rulebook:
    return _rulebook(sources, ())


def _rulebook(sources: _Sources, approvals: tuple[Approval, ...]) -> Rulebook:
    folder = sources.policies_dir
    catalogue = load_catalogue(folder / "merchants.yaml")
    blocks = load_copy_blocks(folder / "copy").with_approvals(approvals)
    deliveries = load_delivery_texts(folder / "delivery")
    gate = gate_of(folder, catalogue, blocks, issuer=sources.issuer, attestations=sources.attestations)
    gate = with_texts(gate, deliveries)
    policies = gate.policies
    ladders = read_ladders(folder / "ladders.yaml")
    menus = ladders.menus(policies.limit)
    blocks = _speaking(folder / "copy", menus, blocks, policies, judged=sources.judged)
    prompts = read_prompts(sources.prompts_dir, split=sources.split) if sources.prompted else PromptSet({})
    rulebook = Rulebook(
        policies=policies,
        gate=gate,
        catalogue=catalogue,
        ladders=ladders,
        menus=menus,
        blocks=blocks,
        disclosures=load_disclosures(folder / "disclosures.yaml"),
        deliveries=deliveries,
        received=load_received(folder / "received.yaml"),
        hypotheses=load_hypotheses(folder / "hypotheses.yaml"),
        prompts=prompts,
        instructions=_instructions(prompts, policies, blocks),
        files_sha=_folder_sha(folder),
    )
    if _folder_sha(folder, sources.prompts_dir) != sources.sha:
        raise PolicyInvalid(folder, 1, "a file of policies or prompts changed while they were read; start again")
    return rulebook


def rulebook_with(files: Rulebook, standing: Standing) -> Rulebook:
    """Return the files' rulebook with the policies the ledger holds in force. CPU work: some milliseconds a policy.

    Files are not read again: what a process loaded at its start stays. Raises PolicyInvalid for a version that can't be
    enforced as it stands, or that leaves no menu or no copy.
    """
    stored, approvals = compile_standing(standing, files=files.policies, detectors=files.gate.detectors)
    blocks = files.blocks.with_approvals(approvals)
    gate = with_texts(gate_with(files.gate, stored, blocks), files.deliveries)
    menus = files.ladders.menus(gate.policies.limit)
    copy_folder = files.ladders.path.parent / "copy"
    blocks = _speaking(copy_folder, menus, blocks, gate.policies, judged=files.blocks.judged)
    return replace(
        files,
        policies=gate.policies,
        gate=gate,
        menus=menus,
        blocks=blocks,
        instructions=_instructions(files.prompts, gate.policies, blocks),
        stored="\0".join(f"{policy.id}@{policy.version} {policy.sha}" for policy in stored),
        epoch=standing.epoch,
    )


def read_prompts(folder: Path, *, split: Iterable[str] = ()) -> PromptSet:
    """Read and check every prompt the steps need, and their variants, those of PROMPT_SPLIT above all.

    Raises PromptInvalid with file and line.
    """
    return load_prompts(folder, needed=PROMPTS, split=split)


def with_prompts(rulebook: Rulebook, prompts: PromptSet) -> Rulebook:
    """Return the rulebook with other prompts. CPU work: some hundredths of a second.

    Policies, menus and copy stay the very objects they are, the gate and what it remembers included.
    """
    sayable = [block.text for block in rulebook.blocks.blocks]
    displaced = dict(rulebook.displaced)
    for name, digest in rulebook.prompts.digests.items():
        if digest != prompts.digests.get(name):
            prompt = rulebook.prompts.named(name)
            told = PromptSet({name: prompt}).texts
            displaced.pop(digest, None)  # the order is that of the last edit
            displaced[digest] = Displaced(prompt, Instructions.of(told, sayable=sayable))
    return replace(
        rulebook,
        prompts=prompts,
        instructions=instructions_of(prompts, rulebook),
        displaced=dict(list(displaced.items())[-KEPT_PROMPTS:]),
    )


def instructions_of(prompts: PromptSet, rulebook: Rulebook) -> Instructions:
    """Return what models are told under a rulebook with these prompts in place of its own."""
    return _instructions(prompts, rulebook.policies, rulebook.blocks)


def _instructions(prompts: PromptSet, policies: PolicySet, blocks: CopyBlocks) -> Instructions:
    """Return the text models are given beside the offer: prompts, what policies say, what clauses tell drafts."""
    given = [*prompts.texts]
    for policy in policies.active:
        if not policy.scope.has_email:
            continue  # no model is told of it
        given += [policy.front.brief, policy.prose]
        for clause in policy.front.clauses:
            given += [clause.message, clause.fix_hint, getattr(clause, "question", "")]
    return Instructions.of(given, sayable=[block.text for block in blocks.blocks])


def _speaking(folder: Path, menus: Menus, blocks: CopyBlocks, policies: PolicySet, *, judged: bool) -> CopyBlocks:
    """Return the blocks held to the judge clauses of these policies; `judged` says whether there is a judge.

    Raises PolicyInvalid for an option that no approved copy can speak for: the fallback must always have words.
    """
    blocks = blocks.held_to(partial(required_cover, policies), judged=judged)
    for (domain, card_type, strategy), menu in menus.menus.items():
        if gaps := blocks.gaps(menu.options, domain=domain, strategy=strategy, card_type=card_type):
            remedy = "add an approved block"
            if not judged and (missing := unapproved_by(policies.active, blocks)):
                remedy = _unapproved(missing)
            raise PolicyInvalid(folder, 1, f"{domain}, {strategy}: {gaps[0]}; {remedy}")
    return blocks


def _unapproved(missing: Mapping[str, tuple[str, ...]]) -> str:
    """Say which judge clauses keep how many blocks from being used while no judge is configured, and what to do."""
    listed = [f"{clause} ({len(blocks)} block{'s' if len(blocks) > 1 else ''})" for clause, blocks in missing.items()]
    more = f" and {len(listed) - SHOWN_CLAUSES} more clauses" if len(listed) > SHOWN_CLAUSES else ""
    return (
        f"no judge is configured, and copy is not approved for {', '.join(listed[:SHOWN_CLAUSES])}{more}: "
        "have it read and run `offers copy approve --all --by NAME`, or set JUDGE_MODEL"
    )


def _folder_sha(*folders: Path) -> str:
    digest = sha256()
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".yaml")):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + _bytes(path) + b"\0")
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyInvalid(path, 1, f"can't be read: {error}") from error
