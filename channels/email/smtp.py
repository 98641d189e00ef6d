"""Hands one mail to a server, and says of every failure whether trying again can help."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final

import aiosmtplib
from aiosmtplib import SMTP

from channels.base import (
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    RecipientUnknown,
)
from channels.email.config import MailConfig, Security
from channels.email.limits import COMMAND_WITHIN
from channels.email.message import Mail
from channels.email.wording import header_text
from engine.errors import EngineError
from engine.failpoints import Boundary

_UNKNOWN_MAILBOX: Final = frozenset({550, 551, 553})
_NOT_LET_IN: Final = frozenset({530, 534, 535, 538})
_TRANSIENT: Final = range(400, 500)
_REASON_CHARS: Final = 200


def _broken() -> Exception:
    return aiosmtplib.SMTPServerDisconnected("Connection lost")


SESSION: Final = Boundary("email.session", breaks=_broken)
CONTENT: Final = Boundary("email.content", breaks=_broken)


class Smtp:
    """Speaks to the configured server, a connection for each mail."""

    def __init__(self, config: MailConfig, *, tls: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._tls = tls or ssl.create_default_context()

    async def deliver(self, mail: Mail) -> None:
        """Hand over `mail`; on return the server has taken responsibility for it.

        Raises:
            RecipientUnknown, ChannelRefused: if the server refused it for good.
            ChannelUnavailable: if it should be tried again; `ambiguous` once the content was sent.
            ChannelMisconfigured: if the server, the sign-in or the sender must be set right first.
        """
        async with self._session() as server:
            await self._announce(server, mail)
            try:
                await CONTENT.through(server.data(mail.content))
            except aiosmtplib.SMTPResponseException as error:
                raise _answered(error, "the message") from error
            except (aiosmtplib.SMTPException, OSError) as error:
                raise ChannelUnavailable(
                    f"The mail server went away while it took the message: {_said(error)}",
                    ambiguous=True,
                ) from error

    async def check(self) -> None:
        """Connect, secure the connection, sign in, and leave. Raises as `deliver` does."""
        async with self._session():
            pass

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[SMTP]:
        config = self._config
        server = SMTP(
            hostname=config.host,
            port=config.port,
            use_tls=config.security is Security.TLS,
            start_tls=config.security is Security.STARTTLS,
            tls_context=None if config.security is Security.NONE else self._tls,
            # The default asks the DNS for this machine's name, and tells everybody.
            local_hostname=config.domain,
            timeout=COMMAND_WITHIN.total_seconds(),
        )
        try:
            await self._connect(server)
            yield server
            with suppress(aiosmtplib.SMTPException, OSError):
                await server.quit()
        finally:
            server.close()

    async def _connect(self, server: SMTP) -> None:
        config = self._config
        try:
            await SESSION.through(server.connect())
            if config.username is not None:
                await server.login(config.username, config.password)
        except aiosmtplib.SMTPAuthenticationError as error:
            raise _answered(error, "the user and password in SIGNOFF_SMTP_URL") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _at_the_door(error) from error
        except (aiosmtplib.SMTPTimeoutError, aiosmtplib.SMTPServerDisconnected) as error:
            raise _away(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _no_session(error) from error

    async def _announce(self, server: SMTP, mail: Mail) -> None:
        try:
            await server.ehlo()
            if mail.needs_utf8 and not server.supports_extension("smtputf8"):
                raise RecipientUnknown(
                    f"The mail server cannot write to {mail.to!a}: it lacks SMTPUTF8."
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.needs_utf8 else []
            encoding = "utf-8" if mail.needs_utf8 else "ascii"
            await server.mail(mail.sender, options=options, encoding=encoding)
            await server.rcpt(mail.to, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            raise _answered(error, "the sender in SIGNOFF_MAIL_FROM") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(error, "the recipient") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _away(error) from error


def _answered(error: aiosmtplib.SMTPResponseException, what: str) -> EngineError:
    said = f"The mail server refused {what}: {error.code} {_said(error)}"
    if error.code in _TRANSIENT or error.code < HTTPStatus.CONTINUE:
        return ChannelUnavailable(said)
    if error.code in _NOT_LET_IN or isinstance(
        error, aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPAuthenticationError
    ):
        return ChannelMisconfigured(said)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code in _UNKNOWN_MAILBOX:
        return RecipientUnknown(said)
    return ChannelRefused(said)


def _at_the_door(error: aiosmtplib.SMTPResponseException) -> EngineError:
    said = f"The mail server did not open: {error.code} {_said(error)}"
    if error.code in _TRANSIENT or error.code < HTTPStatus.CONTINUE:
        return ChannelUnavailable(said)
    return ChannelMisconfigured(f"{said}. Check SIGNOFF_SMTP_URL.")


def _away(error: Exception) -> ChannelUnavailable:
    return ChannelUnavailable(f"The mail server cannot be reached: {_said(error)}")


def _no_session(error: Exception) -> EngineError:
    causes = (error, error.__cause__)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ChannelMisconfigured(
            f"The certificate of the mail server is not trusted: {_said(error)}. Use the name it was "
            "made for in SIGNOFF_SMTP_URL, or install its authority."
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ChannelMisconfigured(
            f"The mail server does not speak TLS on this port: {_said(error)}. smtps:// is for 465, "
            "smtp+starttls:// for 587."
        )
    if isinstance(error, OSError):
        return _away(error)
    return ChannelMisconfigured(
        f"The mail server cannot do what SIGNOFF_SMTP_URL asks: {_said(error)}"
    )


def _said(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error) or type(error).__name__
    return header_text(text, chars=_REASON_CHARS).rstrip(".")
