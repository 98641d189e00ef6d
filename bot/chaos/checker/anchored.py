"""Anchors (I12): each is of what its chain really was, in order, and no chain has fallen behind one.

Their signatures are for `signoff audit verify`, which has the key; this is about the rows.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator

from bot.chaos.checker.book import Book, Row
from bot.chaos.checker.pruned import AUDIT, Cut
from bot.chaos.checker.spelling import spelled_out


def broken_anchors(book: Book) -> Iterator[str]:
    """Anchors that do not fit each other or the chains."""
    of_tenant: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(book["anchors"], key=lambda row: (row["tenant"], row["number"])):
        of_tenant[row["tenant"]].append(row)
    for tenant, rows in of_tenant.items():
        yield from _in_a_row(book, tenant, rows)
    heads = {(row["tenant"], row["run"], row["position"]): row["hash"] for row in book["journal"]}
    heads |= {(row["tenant"], AUDIT, row["position"]): row["hash"] for row in book["audit"]}
    last: dict[tuple[str, str], int] = {}
    for row in sorted(book["anchored"], key=lambda row: (row["tenant"], row["anchor"])):
        chain, position = (row["tenant"], row["chain"]), row["position"]
        where = f"I12: {row['chain']}, position {position}, anchored by {row['anchor']}"
        if position <= last.get(chain, -1):
            yield f"{where}: an earlier anchor has it already"
        last[chain] = position
        found = heads.get((*chain, position))
        if found is None and position >= Cut.of(book, *chain).position:
            yield f"{where}: it is not there any more"
        elif found not in {None, row["hash"]}:
            yield f"{where}: it is another entry now"


def _in_a_row(book: Book, tenant: str, rows: list[Row]) -> Iterator[str]:
    previous, at = "", 0
    for number, row in enumerate(rows, 1):
        where = f"I12: anchor {row['number']} of {tenant}"
        stated = json.loads(row["statement"])
        if row["number"] != number or stated["number"] != number:
            yield f"{where}: {number} is missing"
            return
        if stated["previous"] != previous or row["at"] < at:
            yield f"{where} follows another one"
        if stated["digest"] != _digest(book, row):
            yield f"{where} is of other heads than those that are kept with it"
        previous, at = _sha256(row["statement"].encode()), row["at"]


def _digest(book: Book, anchor: Row) -> str:
    tenant = anchor["tenant"]
    heads = sorted(
        (row["chain"], row["position"], row["hash"])
        for row in book.where("anchored", tenant=tenant, anchor=anchor["number"])
    )
    lines = (spelled_out([tenant, *head]) + "\n" for head in heads)
    return _sha256("".join(lines).encode())


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
