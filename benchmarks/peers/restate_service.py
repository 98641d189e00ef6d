"""The service behind `restate_gated.py`, which starts it: the workflow, and word of what it waits for.

Its environment: PORT to listen on, TELL the datagram socket that hears of each awakeable.
"""

import asyncio
import json
import os
import socket

import hypercorn.asyncio
import hypercorn.config
import restate

TELL = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
service = restate.Service("gated")


@service.handler()
async def run(ctx: restate.Context, number: int) -> list:
    """A step, an awakeable that is resolved from outside, a step."""
    first = await ctx.run("a", lambda: number + 1)
    awakeable, decided = ctx.awakeable()
    # Beside the journal, which favours Restate.
    TELL.send(json.dumps([number, awakeable]).encode())
    decision = await decided
    return await ctx.run("b", lambda: [first + 1, decision])


if __name__ == "__main__":
    TELL.connect(os.environ["TELL"])
    config = hypercorn.config.Config()
    config.bind = [f"127.0.0.1:{os.environ['PORT']}"]
    config.loglevel = "ERROR"
    config.h2_max_concurrent_streams = 2**31 - 1
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    asyncio.run(hypercorn.asyncio.serve(restate.app([service]), config))
