"""procrastinate with jobs that are due and do nothing, twenty at a time."""

import asyncio
import os
import time

import procrastinate

DSN, JOBS = os.environ["DSN"], int(os.environ["EVENTS"])
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DSN))


@app.task(name="ask")  # type: ignore[untyped-decorator] # not installed where types are checked
async def ask(plan: int) -> None:
    """Do nothing."""
    del plan


async def main() -> None:
    """Run them all; says jobs a second and microseconds of this process's CPU per job."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await ask.batch_defer_async(*({"plan": number} for number in range(JOBS)))
        started, cpu = time.perf_counter(), time.process_time()
        await app.run_worker_async(
            wait=False, concurrency=20, install_signal_handlers=False, delete_jobs="always"
        )
        seconds, used = time.perf_counter() - started, time.process_time() - cpu
    print(f"RESULT {JOBS / seconds:.1f} {used / JOBS * 1e6:.1f}", flush=True)


asyncio.run(main())
