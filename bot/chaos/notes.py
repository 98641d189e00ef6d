"""What PostgreSQL itself notes while chaos reigns: each change of a lease, and who wrote each entry."""

from typing import Any, Final

from bot.chaos.checker.pages import connected
from bot.chaos.checker.violations import Change, Switched, Written
from engine.errors import Refused

# Triggers see what no process can hide, and one sequence puts both kinds of note in one order.
NOTES: Final = """
CREATE SEQUENCE chaos_order;
CREATE TABLE chaos_changes (
    number bigint PRIMARY KEY DEFAULT nextval('chaos_order'), run text, before text, token text,
    until timestamptz, who text, transaction text, now timestamptz, at timestamptz
);
CREATE INDEX ON chaos_changes (token);
CREATE TABLE chaos_written (
    number bigint PRIMARY KEY DEFAULT nextval('chaos_order'), run text, position integer, kind text,
    who text, transaction text, at timestamptz, now timestamptz
);
CREATE TABLE chaos_switched (
    number bigint PRIMARY KEY DEFAULT nextval('chaos_order'), tenant text, scope text,
    is_engaged boolean
);
CREATE FUNCTION chaos_note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO public.chaos_changes (run, before, token, until, who, transaction, now, at)
    VALUES (NEW.id, OLD.lease_token, NEW.lease_token, OLD.lease_expires_at,
        coalesce(current_setting('chaos.who', true), ''), pg_current_xact_id()::text,
        public.signoff_now(), clock_timestamp());
    RETURN NULL;
END $$;
CREATE FUNCTION chaos_note_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO public.chaos_written (run, position, kind, who, transaction, at, now)
    VALUES (NEW.run, NEW.position, NEW.kind, coalesce(current_setting('chaos.who', true), ''),
        pg_current_xact_id()::text, NEW.at, public.signoff_now());
    RETURN NULL;
END $$;
CREATE FUNCTION chaos_note_switch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO public.chaos_switched (tenant, scope, is_engaged)
    VALUES (NEW.tenant, NEW.data::json ->> 'scope', NEW.kind = 'kill_switch.engaged');
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_change AFTER UPDATE OF lease_token ON runs FOR EACH ROW
    WHEN (OLD.lease_token IS DISTINCT FROM NEW.lease_token) EXECUTE FUNCTION chaos_note_change();
CREATE TRIGGER chaos_entry AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION chaos_note_entry();
CREATE TRIGGER chaos_switch AFTER INSERT ON audit FOR EACH ROW
    WHEN (NEW.kind IN ('kill_switch.engaged', 'kill_switch.released'))
    EXECUTE FUNCTION chaos_note_switch();
"""
THINGS: Final = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
CHANGES: Final = """
SELECT number, run, before, token, who, transaction,
    (extract(epoch FROM until) * 1000000)::bigint AS until,
    (extract(epoch FROM now) * 1000000)::bigint AS now,
    (extract(epoch FROM at) * 1000000)::bigint AS at
FROM chaos_changes ORDER BY number
"""
WRITTEN: Final = """
SELECT number, run, position, kind, who, transaction,
    (extract(epoch FROM at) * 1000000)::bigint AS at,
    (extract(epoch FROM now) * 1000000)::bigint AS now
FROM chaos_written ORDER BY number
"""
SWITCHED: Final = "SELECT number, tenant, scope, is_engaged FROM chaos_switched ORDER BY number"


async def check_empty(url: str) -> None:
    """Return if the database holds no table: chaos is for none that anybody needs.

    Raises:
        Refused: `not_empty`, otherwise.
    """
    async with connected(url) as connection:
        if await connection.fetchval(THINGS):
            raise Refused(
                "This database holds tables already. Chaos wants one of its own: "
                "`createdb signoff_chaos`, and that one's URL.",
                code="not_empty",
            )


async def begin(url: str) -> None:
    """Note everything from here on; the schema must be there."""
    async with connected(url) as connection:
        await connection.execute(NOTES)


async def changes(connection: Any) -> list[Change]:
    """Every change of a lease so far."""
    return [Change(**dict(row)) for row in await connection.fetch(CHANGES)]


async def written(connection: Any) -> list[Written]:
    """Every entry so far, and who wrote it."""
    return [Written(**dict(row)) for row in await connection.fetch(WRITTEN)]


async def switched(connection: Any) -> list[Switched]:
    """Every kill switch that was engaged or released so far."""
    return [Switched(**dict(row)) for row in await connection.fetch(SWITCHED)]
