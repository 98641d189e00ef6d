"""Five agents say what became of an order, and its refund is made once if they agree that it was lost."""

import asyncio
import hashlib
import sys
from collections.abc import Callable
from typing import Final

from signoff import Client
from signoff.cases import Case

AGENTS: Final = ("tracking", "warehouse", "photos", "driver", "history")


def opinion(agent: str, *, seed: int) -> tuple[str, str]:
    """What an agent says and how sure it is: chance, but the same for the same seed."""
    truth, dice = (hashlib.sha256(f"{seed} {name}".encode()).digest() for name in ("order", agent))
    is_lost = truth[0] < 128
    is_wrong = dice[0] < 40  # one time in six or seven
    return "lost" if is_lost is not is_wrong else "arrived", f"0.{90 + dice[1] % 10}"


async def demo(signoff: Client, *, seed: int, pay_back: Callable[[object], None]) -> Case:
    """Have the five report, and pay back once if the outcome is final and is `lost`."""
    case = await signoff.cases.open(
        f"What became of order {seed}?",
        outcomes=["arrived", "lost"],
        enough="0.70",
        sources=len(AGENTS),
        collected=True,  # this script reports for all of them
    )
    for agent in AGENTS:
        outcome, confidence = opinion(agent, seed=seed)
        told = await signoff.cases.signal(case.id, agent, outcome, confidence=confidence)
        print(f"{agent:10} {outcome:8} {confidence}  {told.case.status}")
    for attempt in ("first", "second"):  # another request id, and still one refund
        receipt = await signoff.receipts.once(
            f"order-{seed}-{attempt}",
            "refund",
            {"order": str(seed)},
            pay_back,
            requires=case.id,
            outcome="lost",
        )
        print(f"{attempt} try: {receipt.reason}")
    return await signoff.cases.get(case.id)


async def main(seed: int) -> None:
    """Once, with the server and key of SIGNOFF_URL and SIGNOFF_API_KEY."""
    async with Client() as signoff:
        case = await demo(signoff, seed=seed, pay_back=lambda order: print("paying back", order))
    print(case.id, case.status, case.outcome)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2))
