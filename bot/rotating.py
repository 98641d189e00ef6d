"""The secrets of one process, and what is done at its start when the first is another one than before."""

import structlog

from bot.anchoring.making import seed_of
from bot.secret_key import secret_of
from bot.settings import Settings
from engine.ids import Ids
from engine.services import rotating
from engine.services.rotating import Taken
from engine.store.database import Database
from engine.tokens import Tokens

_log = structlog.stdlib.get_logger("bot")


def tokens_of(settings: Settings, ids: Ids) -> Tokens:
    """What everything is made from, and recognised by; a secret is made and kept where there is none.

    Raises:
        Invalid: `bad_secret_key`, as `secret_of`.
    """
    first = secret_of(settings, ids)
    before = (each.get_secret_value().encode() for each in settings.secret_key_previous)
    older = tuple(each for each in before if each != first)
    return Tokens(first, anchoring=seed_of(settings), older=older)


async def take_up(database: Database, tokens: Tokens) -> None:
    """Let the database know the first secret, and wrap people's keys by it that an older one wraps.

    Raises:
        Invalid: `bad_secret_key`, as `rotating.take_up`; then nothing was changed.
    """
    taken = await database.write(rotating.take_up)
    if taken is Taken.REPLACED:
        _log.warning("secret.replaced", mend="SIGNOFF_SECRET_KEY_PREVIOUS")
    if tokens.older:
        done = await rotating.wrap_anew(database)
        _log.info("secret.followed", accepted=len(tokens.older), wrapped_anew=done.older)
