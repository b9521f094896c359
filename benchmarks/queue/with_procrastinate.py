"""procrastinate's side, in a process of its own and in the bench's environment.

wait: one fetch for each notice, then finish · loop: fetch and finish, one after the other, through its JobManager ·
work: its own Worker with its own settings (concurrency 1, LISTEN on, finished jobs kept).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from typing import Any

from procrastinate import App, PsycopgConnector  # type: ignore[import-not-found,unused-ignore]
from procrastinate.jobs import Status  # type: ignore[import-not-found,unused-ignore]

from benchmarks.queue import wire

Commands = asyncio.Queue[dict[str, Any] | None]

ORDER = {"circonscription": "Montréal", "cadastre": "", "designation": "", "acte_type": "Acte", "source": "acte"}


def make_app() -> Any:
    # the pool opens four connections if it is not told otherwise; sixteen consumers would use up the server's
    return App(connector=PsycopgConnector(conninfo=wire.database(), min_size=1, max_size=4))


async def install(app: Any) -> None:
    await app.schema_manager.apply_schema_async()
    wire.say(ready=True)


async def submitter(app: Any, commands: Commands) -> None:
    task = app.configure_task("document", priority=10)
    many = app.configure_task("document")
    wire.say(ready=True)
    while (command := await commands.get()) is not None:
        if command["do"] == "submit":
            at = time.time()
            await task.defer_async(number=command["number"], **ORDER)
            wire.say(at=at)
        else:
            orders = [{"number": 0, **ORDER} for _ in range(command["rows"])]
            at = time.perf_counter()
            await many.batch_defer_async(*orders)
            wire.say(seconds=time.perf_counter() - at)


class Consumer:
    def __init__(self, app: Any, commands: Commands) -> None:
        self._app = app
        self._manager = app.job_manager
        self._commands = commands
        self._tally = wire.Tally()
        app.task(name="document")(self._document)

    async def serve(self) -> None:
        ways = {"wait": self._wait, "loop": self._loop, "work": self._work}
        wire.say(ready=True)
        while (command := await self._commands.get()) is not None:
            self._tally = wire.Tally()
            doing = asyncio.create_task(ways[command["do"]]())
            stop = asyncio.create_task(self._commands.get())
            await asyncio.wait((doing, stop), return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
            await stop
            doing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await doing
            self._tally.say()

    async def _document(self, number: int, **order: str) -> None:
        del order
        at = time.time()
        self._tally.add()
        if number:
            wire.say(number=number, at=at)

    async def _work(self) -> None:
        wire.say(ready=True)
        await self._app.run_worker_async(concurrency=1, install_signal_handlers=False)

    async def _wait(self) -> None:
        notices: asyncio.Queue[None] = asyncio.Queue()
        async with self._listening(notices) as worker:
            while True:
                await notices.get()
                await self._one(worker)

    async def _loop(self) -> None:
        async with self._listening(asyncio.Queue()) as worker:
            while True:
                # shielded: a job in hand is finished before the loop ends
                await asyncio.shield(self._one(worker))

    @contextlib.asynccontextmanager
    async def _listening(self, notices: asyncio.Queue[None]) -> Any:
        async def heard(*, channel: str, notification: dict[str, Any]) -> None:
            del channel
            if notification["type"] == "job_inserted":
                notices.put_nowait(None)

        listener = asyncio.create_task(self._manager.listen_for_jobs(on_notification=heard))
        worker = await self._manager.register_worker()
        await asyncio.sleep(0.2)  # its listener does not say when it listens
        wire.say(ready=True)
        try:
            yield worker
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    async def _one(self, worker: int) -> None:
        job = await self._manager.fetch_job(queues=None, worker_id=worker)
        at = time.time()
        if job is None:
            return
        await self._manager.finish_job(job=job, status=Status.SUCCEEDED, delete_job=False)
        self._tally.add()
        if job.task_kwargs["number"]:
            wire.say(number=job.task_kwargs["number"], at=at)


async def main(role: str) -> None:
    logging.disable(logging.WARNING)
    commands: Commands = asyncio.Queue()
    wire.commands_into(commands)
    app = make_app()
    async with app.open_async():
        if role == "install":
            await install(app)
        elif role == "submitter":
            await submitter(app, commands)
        else:
            await Consumer(app, commands).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
