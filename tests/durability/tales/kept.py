"""Stories without a run: keys, sessions, organisations, messages, receipts, and what else is kept."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from engine.ids import DEFAULT_TENANT, PersonId, TenantId
from engine.services import (
    anchoring,
    checkpoints,
    claiming,
    configuration,
    definitions,
    deliveries,
    inbox,
    keys,
    links,
    permits,
    readiness,
    receipts,
    runs,
    sign_ins,
    tenants,
    votes,
)
from engine.services.claiming import Asked
from engine.services.keys import NewKey
from engine.services.permits import Spending, Wanted
from engine.services.receipts import Ending
from engine.signing import Signer
from engine.store.database import Transaction
from engine.store.definitions import DefinitionRow
from engine.store.directory import Directory, ListedPerson
from engine.store.outbox import Delivery, NewDelivery
from tests.clock import NOON
from tests.durability.tales.acts import BY, does, drive, looks, start, time
from tests.durability.tales.telling import Act, Story, Telling

LONG: Final = timedelta(hours=1)
ANA: Final = "ana@example.com"


def _key(tx: Transaction, telling: Telling) -> str:
    new = NewKey(name=telling.name("key"), scopes=["approvals:ask"])
    return keys.create(tx, DEFAULT_TENANT, new, by=BY)[1]


def _used(tx: Transaction, telling: Telling) -> None:
    keys.note_use(tx, keys.authenticate(tx, telling.kept["key"]))


def _revoked(tx: Transaction, telling: Telling) -> None:
    for row in keys.listing(tx, DEFAULT_TENANT):
        if row.name == telling.name("key"):
            keys.revoke(tx, DEFAULT_TENANT, row.id, by=BY)


def _keys(tx: Transaction, telling: Telling) -> set[bool]:
    rows = keys.listing(tx, DEFAULT_TENANT)
    return {row.revoked_at is None for row in rows if row.name == telling.name("key")}


def _link(tx: Transaction, _telling: Telling) -> object:
    return sign_ins.ask_link(tx, DEFAULT_TENANT, ANA)


def _confirmed(keep: str) -> Act:
    return does(lambda tx, it: sign_ins.confirm(tx, it.kept["link"].token), keep)


async def _asks_again_if_it_was_used(telling: Telling) -> None:
    # The session's cookie was on the answer that got lost: whoever has none asks for another link.
    if telling.kept.get("session") is None:
        await does(_link, "link")(telling)
        await _confirmed("session")(telling)


def _note_use(tx: Transaction, telling: Telling) -> None:
    session = sign_ins.session_of(tx, telling.kept["session"].token)
    if session is not None:
        sign_ins.note_use(tx, session)


def _is_signed_in(tx: Transaction, telling: Telling) -> bool:
    return sign_ins.session_of(tx, telling.kept["session"].token) is not None


def _terminal(tx: Transaction, telling: Telling) -> object:
    terminal = sign_ins.begin_terminal(tx, ANA, homes=[DEFAULT_TENANT])
    telling.kept["link"] = terminal.link
    return terminal


def _collected(tx: Transaction, telling: Telling) -> object:
    return sign_ins.poll_terminal(tx, telling.kept["terminal"].device_secret)


def _acme(telling: Telling) -> TenantId:
    return TenantId(telling.name("acme"))


def _tenant(tx: Transaction, telling: Telling) -> object:
    found = tenants.get(tx, _acme(telling))
    return found.name, found.is_active


def _linked(tx: Transaction, telling: Telling) -> str:
    (approval,) = _of_run(tx, telling)
    token = tx.tokens.respond(approval=approval, version=1, person=PersonId("ana"), serial=1)
    links.mint(tx, DEFAULT_TENANT, approval=approval, version=1, person=PersonId("ana"), serial=1)
    return token


def _of_run(tx: Transaction, telling: Telling) -> list[Any]:
    return [each.id for each in runs.picture(tx, DEFAULT_TENANT, telling.run).approvals]


def _letter(tx: Transaction, telling: Telling) -> object:
    new = NewDelivery(
        tenant=DEFAULT_TENANT, message=None, channel="pigeon", address=telling.name("roof"),
        kind="tell", event="told", due_at=tx.now, payload={"title": "Coo"},
    )  # fmt: skip
    return deliveries.enqueue(tx, new)


def _claimed(tx: Transaction) -> list[Delivery]:
    return deliveries.claim(tx, "pigeon", limit=9, lease_for=LONG)


def _orphans(tx: Transaction) -> list[Delivery]:
    return deliveries.claim_orphans(tx, ["email"], limit=9, lease_for=LONG)


Mark = Callable[[Transaction, Delivery], object]
Claim = Callable[[Transaction], list[Delivery]]


def _marks(mark: Mark, claim: Claim = _claimed) -> Act:
    """Once whatever was claimed before may be claimed again, all is claimed and marked."""

    async def act(telling: Telling) -> None:
        await telling.scene.pass_time(LONG)
        for each in await telling.on.write(claim):
            await telling.on.write(partial(_marked, mark, each))

    return act


def _marked(mark: Mark, each: Delivery, tx: Transaction) -> None:
    mark(tx, each)


def _letters(tx: Transaction, telling: Telling) -> set[str]:
    lines = deliveries.listing(tx, DEFAULT_TENANT)
    return {line.status for line in lines if line.address == telling.name("roof")}


def _claim(tx: Transaction, telling: Telling) -> object:
    asked = Asked(
        tenant=DEFAULT_TENANT, namespace="orders", request_id=telling.name("order"), action="refund",
        payload=None, token="claimer", by=BY, lease_for=LONG,
    )  # fmt: skip
    return claiming.claim(tx, asked).row


def _receipt(tx: Transaction, telling: Telling) -> object:
    row = receipts.find(tx, DEFAULT_TENANT, telling.kept["receipt"].execution)
    return row.state


async def _made(telling: Telling) -> None:
    telling.scene.world.made(telling.kept["receipt"].request_id)


def _permit(tx: Transaction, telling: Telling) -> object:
    wanted = Wanted(token="claimer", audience="bank")
    return permits.issue(tx, DEFAULT_TENANT, telling.kept["receipt"].execution, wanted).token


def _taken(tx: Transaction, telling: Telling) -> object:
    spending = Spending(
        token=telling.kept["permit"], spend_id="1", audience="bank", action="refund", payload=None,
        by="key:bank",
    )  # fmt: skip
    return permits.spend(tx, DEFAULT_TENANT, spending).told()["spent_by"]


def _spent(tx: Transaction, telling: Telling) -> object:
    spent = receipts.find(tx, DEFAULT_TENANT, telling.kept["receipt"].execution).spent
    return None if spent is None else spent["spent_by"]


def _ended(tx: Transaction, telling: Telling) -> object:
    ending = Ending(outcome="succeeded", by=BY, token="claimer", result="done")
    return receipts.end(tx, DEFAULT_TENANT, telling.kept["receipt"].execution, ending).state


def _definition(tx: Transaction, telling: Telling) -> bool:
    row = DefinitionRow(
        tenant=DEFAULT_TENANT, name=telling.name("written"), version="1", body="{}", source="{}",
        functions=(), children=(), added_by=BY, added_at=NOON,
    )  # fmt: skip
    return definitions.add(tx, row)


def _removed(tx: Transaction, telling: Telling) -> int:
    return definitions.remove(tx, DEFAULT_TENANT, telling.name("written"), by=BY, reason="old")


def _directory(tx: Transaction, telling: Telling) -> None:
    person = ListedPerson(id=PersonId("ana"), name=telling.name("Ana"), email=ANA)
    configuration.apply(tx, DEFAULT_TENANT, Directory(people=(person,)))


async def _anchors(telling: Telling) -> None:
    signer = Signer(telling.scene.tokens.anchor_seed)
    await anchoring.anchor_all(telling.on, DEFAULT_TENANT, signer)


def _published(tx: Transaction, _telling: Telling) -> None:
    for anchor in anchoring.unpublished(tx, DEFAULT_TENANT):
        anchoring.note_published(tx, DEFAULT_TENANT, anchor.number)


def _refused(tx: Transaction, telling: Telling) -> None:
    votes.refused(
        tx, DEFAULT_TENANT, what=telling.name("a vote"), who="nobody", why="nobody", channel="web"
    )


KEPT: Final = {
    "keys": Story(
        about=["keys.create", "keys.note_use", "keys.revoke"],
        acts=(does(_key, "key"), does(_used), does(_revoked)), end=looks(_keys),
    ),
    "signed in": Story(
        about=["sign_ins.ask_link", "sign_ins.confirm", "sign_ins.note_use"],
        acts=(
            time(LONG), does(_link, "link"), _confirmed("session"), _asks_again_if_it_was_used, time(LONG / 12),
            does(_note_use),
        ),
        end=looks(_is_signed_in),
    ),
    "signed out": Story(
        about=["sign_ins.end"],
        acts=(
            time(LONG), does(_link, "link"), _confirmed("session"), _asks_again_if_it_was_used,
            does(lambda tx, it: sign_ins.end(tx, it.kept["session"].token)),
        ),
        end=looks(_is_signed_in),
    ),
    "at a terminal": Story(
        about=["sign_ins.begin_terminal", "sign_ins.poll_terminal"],
        acts=(time(LONG), does(_terminal, "terminal"), _confirmed("nothing"), does(_collected, "session")),
    ),
    "the first operator": Story(
        about=["sign_ins.first_operator_link"],
        acts=(does(lambda tx, _it: sign_ins.first_operator_link(tx, DEFAULT_TENANT), "link"),),
    ),
    "an organisation": Story(
        about=["tenants.create", "tenants.rename", "tenants.deactivate", "tenants.activate"],
        acts=(
            does(lambda tx, it: tenants.create(tx, _acme(it), name="Acme", by=BY)),
            does(lambda tx, it: tenants.rename(tx, _acme(it), "Acme & Co", by=BY)),
            does(lambda tx, it: tenants.deactivate(tx, _acme(it), by=BY)),
            does(lambda tx, it: tenants.activate(tx, _acme(it), by=BY)),
        ),
        end=looks(_tenant),
    ),
    "a listed organisation": Story(
        about=["tenants.keep"],
        acts=(does(lambda tx, it: tenants.keep(tx, _acme(it), name="Acme")),), end=looks(_tenant),
    ),
    "linked": Story(
        about=["links.nonce", "links.spend"],
        acts=(
            start("catching"), drive, does(_linked, "token"),
            does(lambda tx, it: links.nonce(tx, it.kept["token"]), "nonce"),
            does(lambda tx, it: links.spend(tx, it.kept["token"], it.kept["nonce"])),
        ),
    ),
    "heard once": Story(
        about=["inbox.first_time"],
        acts=(does(lambda tx, it: inbox.first_time(
            tx, DEFAULT_TENANT, "slack", it.name("event"), keep_for=LONG
        )),),
    ),
    "sent": Story(
        about=["deliveries.enqueue", "deliveries.serve", "deliveries.claim", "deliveries.sent"],
        acts=(
            does(lambda tx, _it: deliveries.serve(tx, ["pigeon"], missing=False)),
            does(_letter), _marks(lambda tx, it: deliveries.sent(tx, it, None)),
        ),
        end=looks(_letters),
    ),
    "given back": Story(
        about=["deliveries.give_back", "deliveries.claim_orphans", "deliveries.dropped"],
        acts=(
            does(_letter),
            _marks(lambda tx, it: deliveries.give_back(tx, [it])),
            _marks(deliveries.dropped, _orphans),
        ),
        end=looks(_letters),
    ),
    "dead and sent again": Story(
        about=["deliveries.failed", "deliveries.redrive"],
        acts=(
            does(_letter),
            _marks(lambda tx, it: deliveries.failed(tx, it, "no", retry_at=None)),
            does(lambda tx, _it: deliveries.redrive(tx, DEFAULT_TENANT)),
        ),
        end=looks(_letters),
    ),
    "in trouble and gone": Story(
        about=["deliveries.trouble", "deliveries.free_all", "deliveries.gone"],
        acts=(
            does(_letter),
            _marks(lambda tx, it: deliveries.trouble(tx, it, "no", advice="Mend it.")),
            does(lambda tx, _it: deliveries.claim(tx, "pigeon", limit=9, lease_for=10 * LONG)),
            does(lambda tx, _it: deliveries.free_all(tx)),
            _marks(lambda tx, it: deliveries.gone(tx, it, "deleted")),
        ),
        end=looks(_letters),
    ),
    "made once": Story(
        about=["claiming.claim", "receipts.end"],
        acts=(does(_claim, "receipt"), _made, does(_ended)), end=looks(_receipt),
    ),
    "permitted": Story(
        about=["permits.issue", "permits.spend"],
        acts=(does(_claim, "receipt"), does(_permit, "permit"), does(_taken)), end=looks(_spent),
    ),
    "written down": Story(
        about=["definitions.add"], acts=(does(_definition),),
        end=looks(lambda tx, it: definitions.find(
            tx, DEFAULT_TENANT, it.name("written"), None
        ).version),
    ),
    "taken back": Story(
        about=["definitions.remove"], acts=(does(_definition), does(_removed)),
        end=looks(lambda tx, it: len(definitions.listing(tx, DEFAULT_TENANT))),
    ),
    "configured": Story(about=["configuration.apply"], acts=(does(_directory),)),
    "imported": Story(
        about=["checkpoints.import_snapshot"],
        acts=(does(lambda tx, it: checkpoints.import_snapshot(
            tx, DEFAULT_TENANT, {"state": it.number}, address=None
        )),),
    ),
    "anchored": Story(
        about=["anchoring.note_published"], acts=(start("catching"), _anchors, does(_published)),
        end=looks(lambda tx, _it: len(anchoring.unpublished(tx, DEFAULT_TENANT))),
    ),
    "refused": Story(about=["votes.refused"], acts=(does(_refused),)),
    "ready": Story(
        about=["readiness.prove"], acts=(does(lambda tx, _it: readiness.prove(tx)),),
    ),
}  # fmt: skip
