"""Runs jobs as one writes them by hand on asyncio; prints the nanoseconds that all took, of the processor and by the clock."""

import asyncio
import sys
import time

TIMEOUT = 30
IN_FLIGHT = 64


async def ready(number):
    return number


def call(number):
    return number


async def serve(queue):
    while True:
        _priority, number, work, done = await queue.get()
        try:
            done.set_result(await asyncio.wait_for(work(number), TIMEOUT))
        except Exception as error:
            done.set_exception(error)


async def main(what, jobs):
    queue = asyncio.PriorityQueue(1024)
    work = ready if what == "task" else lambda number: asyncio.to_thread(call, number)
    servers = [asyncio.create_task(serve(queue)) for _ in range(IN_FLIGHT)]
    loop = asyncio.get_running_loop()
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    handles = []
    for number in range(jobs):
        done = loop.create_future()
        await queue.put((number % 4, number, work, done))
        handles.append(done)
    total = sum([await done for done in handles])
    print(time.process_time_ns() - cpu, time.perf_counter_ns() - wall)
    assert total == jobs * (jobs - 1) // 2
    for server in servers:
        server.cancel()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
