"""A mail scanner as they are: it opens every link, twice, before any person reads the mail."""

from dataclasses import dataclass

from bot.demo.mail.mailbox import Mail
from bot.demo.outgoing import Reply, Sent, deliver


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of the scanner."""

    method: str
    url: str
    reply: Reply


async def scan(mail: Mail) -> list[Visit]:
    """HEAD, GET, GET again and OPTIONS for every link of `mail`, as link protection does after delivery."""
    headers = {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks stand-in)"}
    return [
        Visit(
            method=method,
            url=url,
            reply=await deliver(Sent(url=url, body=b"", headers=headers), method=method),
        )
        for url in mail.links()
        for method in ("HEAD", "GET", "GET", "OPTIONS")
    ]
