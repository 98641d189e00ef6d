"""The SMTP server: aiosmtpd with strict eyes and queued troubles."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from typing_extensions import override

from bot.demo.mail.mailbox import Mail, Mailbox
from bot.demo.mail.strictness import objection
from bot.demo.mail.trouble import NO_TLS, Cut, MailFaults, Say, Stage, Stall
from bot.demo.serving import bound
from engine.clock import Clock
from engine.ids import Ids

SIZE_OCTETS: Final = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What the server offers. `accounts` makes it ask for a password."""

    size_octets: int = SIZE_OCTETS
    eight_bit: bool = True
    utf8: bool = False
    tls: ssl.SSLContext | None = None
    starttls_refused: bool = False
    accounts: Mapping[str, str] = field(default_factory=dict[str, str])


class Rules:
    """The hooks that aiosmtpd calls: what is offered, who is refused, what is kept."""

    def __init__(
        self, mailbox: Mailbox, faults: MailFaults, abilities: Abilities, clock: Clock, ids: Ids
    ) -> None:
        self.faults = faults
        self._mailbox = mailbox
        self._abilities = abilities
        self._clock = clock
        self._ids = ids

    async def offered(
        self, server: SMTP, session: Session, envelope: Envelope, host: str, lines: list[str]
    ) -> list[str]:
        """Leave out what this server pretends not to know."""
        session.host_name = host
        lines = [line for line in lines if self._abilities.eight_bit or "8BITMIME" not in line]
        if self._abilities.starttls_refused:
            lines.insert(1, "250-STARTTLS")
        return lines

    async def recipient(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse or put off an address, or take it."""
        if line := self.faults.about(envelope.mail_from or "", address):
            return line
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def received(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Judge the message, then keep it."""
        raw = envelope.original_content or b""
        options = tuple(option.upper() for option in envelope.mail_options)
        refusal = objection(
            raw, eight_bit="BODY=8BITMIME" in options, utf8=bool(envelope.smtp_utf8)
        )
        if refusal is not None:
            return refusal
        trouble = self.faults.take(Stage.DOT)
        match trouble:
            case Say():
                if trouble.hangs_up and server.transport is not None:
                    # After this reply was written, and not before.
                    server.loop.call_soon(server.transport.close)
                return trouble.line
            case Cut(kept=False):
                return _hung_up(server)
            case Stall():
                trouble.reached.set()
                await trouble.released.wait()
            case _:
                pass
        kept = self._keep(raw, envelope, options)
        return _hung_up(server) if isinstance(trouble, Cut) else f"250 2.0.0 Kept as {kept.id}"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        """Compare a name and a password with the accounts."""
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        known = self._abilities.accounts.get(given.login.decode(errors="replace"))
        fits = known is not None and known.encode() == given.password
        # `handled` would mean that the reply was sent already.
        return AuthResult(success=fits, handled=False)

    def _keep(self, raw: bytes, envelope: Envelope, options: tuple[str, ...]) -> Mail:
        message = message_from_bytes(raw, EmailMessage, policy=policy.default)
        mail = Mail(
            id=self._ids.new("mail"),
            at=self._clock.now(),
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            options=options,
            raw=raw,
            message=message,
        )
        self._mailbox.keep(mail)
        return mail


class StrictSmtp(SMTP):
    """aiosmtpd that meets a queued trouble before each command."""

    def __init__(self, rules: Rules, abilities: Abilities) -> None:
        super().__init__(
            rules,
            data_size_limit=abilities.size_octets,
            enable_SMTPUTF8=abilities.utf8,
            hostname="mail.example.test",
            ident="Signoff stand-in",
            tls_context=abilities.tls,
            auth_require_tls=False,
            authenticator=rules.authenticate,
            loop=asyncio.get_running_loop(),
        )
        # Set here, because aiosmtpd would warn of passwords without TLS on every connection.
        self._auth_required = bool(abilities.accounts)
        # aiosmtpd would look for methods named handle_EHLO and so on.
        self._handle_hooks = {
            "EHLO": rules.offered,
            "RCPT": rules.recipient,
            "DATA": rules.received,
        }
        self._ehlo_hook_ver = "new"
        self._rules = rules
        self._starttls_refused = abilities.starttls_refused

    @override
    async def _handle_client(self) -> None:
        if await self._goes_on(Stage.CONNECT):
            await super()._handle_client()

    @override
    async def smtp_EHLO(self, hostname: str) -> None:
        if await self._goes_on(Stage.EHLO):
            await super().smtp_EHLO(hostname)

    @override
    async def smtp_STARTTLS(self, arg: str) -> None:
        if self._starttls_refused:
            await self.push(NO_TLS.line)
        elif await self._goes_on(Stage.STARTTLS):
            await super().smtp_STARTTLS(arg)

    @override
    async def smtp_MAIL(self, arg: str | None) -> None:
        if await self._goes_on(Stage.MAIL):
            await super().smtp_MAIL(arg)

    @override
    async def smtp_RCPT(self, arg: str | None) -> None:
        if await self._goes_on(Stage.RCPT):
            await super().smtp_RCPT(arg)

    @override
    async def smtp_DATA(self, arg: str) -> None:
        if await self._goes_on(Stage.DATA):
            await super().smtp_DATA(arg)

    async def _goes_on(self, stage: Stage) -> bool:
        trouble = self._rules.faults.take(stage)
        match trouble:
            case None:
                return True
            case Say():
                await self.push(trouble.line)
                if trouble.hangs_up and self.transport is not None:
                    self.transport.close()
                return False
            case Cut():
                _hung_up(self)
                return False
            case Stall():
                trouble.reached.set()
                await trouble.released.wait()
                return True


@asynccontextmanager
async def smtp_served(
    make: Callable[[], StrictSmtp], *, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[int]:
    """Serve SMTP and yield the port; connections that are open at the end are cut.

    Raises:
        OSError: if the port is taken.
    """
    sessions: list[StrictSmtp] = []

    def session() -> StrictSmtp:
        sessions.append(make())
        return sessions[-1]

    listener = bound(host, port)
    server = await asyncio.get_running_loop().create_server(session, sock=listener)
    try:
        yield listener.getsockname()[1]
    finally:
        server.close()
        for open_session in sessions:
            if open_session.transport is not None:
                _hung_up(open_session)
        await server.wait_closed()


def _hung_up(server: SMTP) -> str:
    transport = server.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    return "421 4.3.2 Closing"
