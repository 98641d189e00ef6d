"""The chains (I12), recomputed from the stored bytes: nothing cut, nothing changed, nothing between."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from bot.chaos.checker.book import Book, Row, digest_of, spelled
from bot.chaos.checker.pruned import AUDIT, Cut

DIGEST_TAG = "signoff/approval/v1"
_QUOTER = json.JSONEncoder(ensure_ascii=False)


def broken_chains(book: Book) -> Iterator[str]:
    """Where a journal, the audit, a digest or an artifact is not what was written."""
    lines = sorted(book["journal"], key=lambda row: (row["run"], row["position"]))
    chains = {run: list(group) for run, group in groupby(lines, key=lambda row: str(row["run"]))}
    for run in book["runs"]:
        chain, cut = chains.get(run["id"], []), Cut.of(book, run["tenant"], run["id"])
        yield from _broken(f"run {run['id']}", chain, journal_hash, cut)
        if cut.position + len(chain) != run["next_position"]:
            yield f"I12: run {run['id']} has {len(chain)} entries, not {run['next_position']}"
        elif chain and chain[-1]["hash"] != run["head"]:
            yield f"I12: run {run['id']} has another head than its last entry"
    audit = sorted(book["audit"], key=lambda row: (row["tenant"], row["position"]))
    for tenant, group in groupby(audit, key=lambda row: str(row["tenant"])):
        cut = Cut.of(book, tenant, AUDIT)
        yield from _broken(f"audit of {tenant}", list(group), audit_hash, cut)
    yield from _broken_digests(book)
    for artifact in book["artifacts"]:
        if artifact["hash"] not in {_named(each) for each in _readings(artifact["content"])}:
            yield f"I12: artifact {artifact['hash']} has other bytes"


def _named(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _readings(content: bytes) -> Iterator[bytes]:
    """The bytes as they are kept, and as they are when they were kept compressed."""
    yield content
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(content)


def journal_hash(line: Row) -> str:
    """The hash of an entry, from its stored columns."""
    fields = {
        "at": json.dumps(spelled(line["at"])),
        "data": line["data"],
        "kind": _quoted(line["kind"]),
        "name": _quoted(line["name"]),
        "path": _quoted(line["path"]),
        "position": str(line["position"]),
        "previous": _quoted(line["previous"]),
        "run": _quoted(line["run"]),
    }
    return digest_of(_together(fields))


def audit_hash(line: Row) -> str:
    """The hash of an audit entry, from its stored columns."""
    fields = {
        "at": json.dumps(spelled(line["at"])),
        "data": line["data"],
        "kind": _quoted(line["kind"]),
        "position": str(line["position"]),
        "previous": _quoted(line["previous"]),
        "tenant": _quoted(line["tenant"]),
    }
    return digest_of(_together(fields))


def content_digest(content: str) -> str:
    """The digest of an approval's stored content."""
    return digest_of(f"{DIGEST_TAG}\n{content}")


def _broken(what: str, chain: Sequence[Row], hashed: "_Hash", cut: Cut) -> Iterator[str]:
    previous = cut.previous
    for position, line in enumerate(chain, cut.position):
        if line["position"] != position:
            yield f"I12: {what} lacks position {position}"
            return
        if line["previous"] != previous:
            yield f"I12: {what}, position {position}, follows another entry"
        if line["hash"] != hashed(line):
            yield f"I12: {what}, position {position}, was changed"
        previous = line["hash"]


def _broken_digests(book: Book) -> Iterator[str]:
    for version in book["versions"]:
        if content_digest(version["content"]) != version["digest"]:
            yield f"I7: version {version['version']} of {version['approval']} has another digest"
    versions = {(row["approval"], row["version"]): row for row in book["versions"]}
    for approval in book["approvals"]:
        kept = versions.get((approval["id"], approval["version"]))
        if kept is None or (kept["content"], kept["digest"]) != (
            approval["content"],
            approval["digest"],
        ):
            yield f"I7: approval {approval['id']} is not its version {approval['version']}"


def _together(fields: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


def _quoted(value: str | None) -> str:
    return _QUOTER.encode(value)


_Hash = Callable[[Row], str]
