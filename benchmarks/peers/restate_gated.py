"""The gated run on Restate: its server with one partition, where it is quickest on two cores, and a service in Python.

Needs `npm install @restatedev/restate-server` with RESTATE_SERVER naming its `restate-server` program, and
`restate-sdk[serde] hypercorn aiohttp psutil uvloop`.
Run: python restate_gated.py gated-runs|latency RUNS CONCURRENCY FOLDER
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import aiohttp
import psutil
from measuring import closed_loop, each, latencies, report

CONFIGURATION = """\
disable-telemetry = true
log-filter = "warn"
default-num-partitions = 1
base-dir = "{folder}/restate"
bind-address = "127.0.0.1:{node}"
advertised-address = "http://127.0.0.1:{node}/"
[ingress]
bind-address = "127.0.0.1:{ingress}"
[admin]
bind-address = "127.0.0.1:{admin}"
"""
WAITING: dict[int, asyncio.Future] = {}


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.socket() for _port in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return found


def hear(listener: socket.socket) -> None:
    """Note which awakeables wait."""
    while True:
        try:
            number, awakeable = json.loads(listener.recv(65_536))
        except BlockingIOError:
            return
        WAITING[number].set_result(awakeable)


def used_s(processes: list[subprocess.Popen]) -> float:
    """Processor seconds of all of them."""
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


async def until(session: aiohttp.ClientSession, url: str, **said: object) -> None:
    """Return once `url` takes it."""
    for _try in range(1_000):
        try:
            method = "POST" if said else "GET"
            async with session.request(method, url, **said) as answer:
                if answer.status in (200, 201):
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise SystemExit(f"{url} does not answer.")


async def measured(session, ingress: str, mode: str, size: tuple[int, int], processes) -> dict:
    """The figures. The caller's own processor time is no part of the engine's."""
    runs, concurrency = size

    async def start(number: int):
        WAITING[number] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(call(number))
        return number, await WAITING[number], running

    async def call(number: int) -> list:
        async with session.post(f"{ingress}/gated/run", json=number) as answer:
            return await answer.json()

    async def decide(started) -> None:
        number, awakeable, running = started
        url = f"{ingress}/restate/awakeables/{awakeable}/resolve"
        async with session.post(url, json="approve") as answer:
            answer.raise_for_status()
        if await running != [number + 2, "approve"]:
            raise SystemExit("A run did not end as it should.")

    async def one(number: int) -> None:
        await decide(await start(number))

    await each(range(10**9, 10**9 + 100), 32, one)
    if mode != "gated-runs":
        return await latencies(runs, start, decide, pause_s=0.15)
    before = used_s(processes)
    figures = await closed_loop(runs, concurrency, one)
    return {**figures, "cpu_ms_run": round((used_s(processes) - before) / runs * 1e3, 3)}


async def main(mode: str, runs: int, concurrency: int, folder: Path) -> None:
    """Measure."""
    folder = folder.resolve()
    ingress, admin, node, own = free_ports(4)
    config = folder / "restate.toml"
    config.write_text(
        CONFIGURATION.format(folder=folder, node=node, ingress=ingress, admin=admin)
    )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(folder / "tell.sock"))
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    asyncio.get_running_loop().add_reader(listener.fileno(), hear, listener)
    told = {**os.environ, "PORT": str(own), "TELL": str(folder / "tell.sock")}
    script = Path(__file__).with_name("restate_service.py")
    with closing(listener), (folder / "restate.log").open("wb") as log:
        processes = [
            subprocess.Popen([os.environ["RESTATE_SERVER"], "-c", config], stdout=log, stderr=log),
            subprocess.Popen([sys.executable, script], env=told),
        ]
        try:
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector) as session:
                await until(session, f"http://127.0.0.1:{admin}/health")
                await until(session, f"http://127.0.0.1:{ingress}/restate/health")
                deployment = {"uri": f"http://127.0.0.1:{own}", "use_http_11": False}
                await until(session, f"http://127.0.0.1:{admin}/deployments", json=deployment)
                url = f"http://127.0.0.1:{ingress}"
                figures = await measured(session, url, mode, (runs, concurrency), processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    report("restate", mode, "its own", figures)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
