"""pgqueuer's side, in a process of its own and in the bench's environment; asyncpg and uvloop, as its own command runs.

wait: one dequeue for each notice of an insert, then log · loop: dequeue one and log it, one after the other ·
work: its own QueueManager with its own settings (batches of 10, acknowledged together, finished jobs moved to its log).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

import asyncpg  # type: ignore[import-not-found,unused-ignore]
import uvloop  # type: ignore[import-not-found,unused-ignore]
from pgqueuer import AsyncpgDriver, Queries  # type: ignore[import-not-found,unused-ignore]
from pgqueuer.core.listeners import (  # type: ignore[import-not-found,unused-ignore]
    PGNoticeEventListener,
    default_event_router,
    initialize_notice_event_listener,
)
from pgqueuer.ports.repository import (  # type: ignore[import-not-found,unused-ignore]
    EntrypointExecutionParameter,
)
from pgqueuer.qm import QueueManager  # type: ignore[import-not-found,unused-ignore]

from benchmarks.queue import wire

Commands = asyncio.Queue[dict[str, Any] | None]

ENTRYPOINT = "document"
ORDER = {"circonscription": "Montréal", "cadastre": "", "designation": "", "acte_type": "Acte", "source": "acte"}


def payload(number: int) -> bytes:
    return json.dumps({"number": number, **ORDER}).encode()


async def submitter(connection: Any, commands: Commands) -> None:
    queries = Queries(AsyncpgDriver(connection))
    wire.say(ready=True)
    while (command := await commands.get()) is not None:
        if command["do"] == "submit":
            at = time.time()
            await queries.enqueue(ENTRYPOINT, payload(command["number"]), priority=10)
            wire.say(at=at)
        else:
            rows = command["rows"]
            payloads: list[bytes | None] = [payload(0) for _ in range(rows)]
            at = time.perf_counter()
            await queries.enqueue([ENTRYPOINT] * rows, payloads, [0] * rows)
            wire.say(seconds=time.perf_counter() - at)


class Consumer:
    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._tally = wire.Tally()

    async def serve(self) -> None:
        ways = {"wait": self._wait, "loop": self._loop, "work": self._work}
        wire.say(ready=True)
        while (command := await self._commands.get()) is not None:
            self._tally = wire.Tally()
            stop = asyncio.Event()
            doing = asyncio.create_task(ways[command["do"]](stop))
            stopping = asyncio.create_task(self._commands.get())
            await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
            await stopping
            stop.set()
            await doing
            self._tally.say()

    def _seen(self, data: bytes | None, at: float) -> None:
        self._tally.add()
        if number := json.loads(data or b"{}").get("number"):
            wire.say(number=number, at=at)

    async def _work(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(wire.database())
        manager = QueueManager(Queries(AsyncpgDriver(connection)))

        async def document(job: Any) -> None:
            self._seen(job.payload, time.time())

        manager.entrypoint(ENTRYPOINT)(document)
        running = asyncio.create_task(manager.run())
        wire.say(ready=True)
        await stop.wait()
        manager.shutdown.set()
        await running
        await connection.close()

    async def _wait(self, stop: asyncio.Event) -> None:
        async with self._listening() as (queries, notices):
            stopped = asyncio.create_task(stop.wait())
            while not stop.is_set():
                notice = asyncio.create_task(notices.get())
                await asyncio.wait((notice, stopped), return_when=asyncio.FIRST_COMPLETED)
                if notice.done() and notice.result().operation == "insert":
                    await self._one(queries)
                notice.cancel()

    async def _loop(self, stop: asyncio.Event) -> None:
        async with self._listening() as (queries, notices):
            while not stop.is_set():
                await self._one(queries)
                with contextlib.suppress(asyncio.QueueEmpty):
                    notices.get_nowait()

    @contextlib.asynccontextmanager
    async def _listening(self) -> Any:
        connection = await asyncpg.connect(wire.database())
        driver = AsyncpgDriver(connection)
        queries = Queries(driver)
        notices = PGNoticeEventListener()
        router = default_event_router(notice_event_queue=notices, canceled={}, pending_health_check={})
        self._id = uuid.uuid4()
        await initialize_notice_event_listener(driver, queries.qbe.settings.channel, router)
        wire.say(ready=True)
        try:
            yield queries, notices
        finally:
            await connection.close()

    async def _one(self, queries: Any) -> None:
        jobs = await queries.dequeue(
            batch_size=1,
            entrypoints={ENTRYPOINT: EntrypointExecutionParameter(concurrency_limit=0)},
            queue_manager_id=self._id,
            global_concurrency_limit=None,
            heartbeat_timeout=timedelta(seconds=30),
        )
        at = time.time()
        for job in jobs:
            await queries.log_jobs([(job, "successful", None)])
            self._seen(job.payload, at)


async def main(role: str) -> None:
    logging.disable(logging.WARNING)
    commands: Commands = asyncio.Queue()
    wire.commands_into(commands)
    connection = await asyncpg.connect(wire.database())
    try:
        if role == "install":
            await Queries(AsyncpgDriver(connection)).install()
            wire.say(ready=True)
        elif role == "submitter":
            await submitter(connection, commands)
        else:
            await connection.close()
            await Consumer(commands).serve()
    finally:
        await connection.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
