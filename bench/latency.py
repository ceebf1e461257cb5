"""One message at a time on an idle stack, a new connection for each: from connecting to its final dot at the sink.

The sink here reads what comes, so this is also where a stack proves that it did its work: see `Stack.marks`.
"""

import asyncio
import time
from asyncio import StreamReader, StreamWriter

from bench import author
from bench.machine import Failed, until
from bench.network import HOST
from bench.stacks import DOMAIN, Stack
from bench.throughput import Load

WARM = 5  # messages before those that count
ARRIVAL_SECONDS = 30.0
LIMIT = 1 << 20  # octets of a message here
REPLIES = {
    b"EHLO": b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}

Arrivals = asyncio.Queue[tuple[float, bytes]]


def measure(stack: Stack, port: int, load: Load) -> list[float]:
    """Seconds of each message; the sink listens on `port`. Leaves an empty queue."""
    return asyncio.run(_measure(stack, port, load))


async def _measure(stack: Stack, port: int, load: Load) -> list[float]:
    arrivals: Arrivals = asyncio.Queue()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await take(reader, writer, arrivals)

    taken = []
    async with await asyncio.start_server(serve, "127.0.0.1", port, limit=LIMIT):
        for number in range(WARM + load.count):
            start = time.perf_counter()
            await send(stack.port, recipients(load, number), message(load.size, number))
            try:
                end, transcript = await asyncio.wait_for(arrivals.get(), ARRIVAL_SECONDS)
            except TimeoutError:
                raise stack.failed("a lone message did not come") from None
            taken.append(end - start)
            prove(stack, transcript)
        # The dot is not yet the answer: a Postfix stopped in between would deliver the last message again when next up.
        await asyncio.to_thread(until, lambda: not stack.queued(), f"{stack.label}: empty queue")
    return taken[WARM:]


def prove(stack: Stack, transcript: bytes) -> None:
    """Failed when a message came without what this stack is there to do."""
    unfolded = transcript.replace(b"\r\n\t", b" ")
    if missing := [each for each in stack.marks if each not in unfolded]:
        raise stack.failed(f"a message came without {missing}:\n{transcript[:1500].decode(errors='replace')}")


def recipients(load: Load, number: int) -> list[str]:
    """As smtp-source spells them. Those that are each message's own stand beyond the ones that it has used."""
    if not load.each_its_own:
        return [f"{n if n > 1 else ''}alias@{DOMAIN}" for n in range(load.recipients, 0, -1)]
    first = 5000 + number * load.recipients
    return [f"{first + n}alias@{DOMAIN}" for n in range(load.recipients)]


def message(size: int, number: int) -> bytes:
    """The message that smtp-source sends too, with another Message-ID, ending with the final dot."""
    text = author.message(size, f"alias@{DOMAIN}", number)
    return text.replace(b"\n", b"\r\n") + b".\r\n"


async def take(reader: StreamReader, writer: StreamWriter, arrivals: Arrivals) -> None:
    """One connection to the sink; an arrival is the time of the final dot and all that the client said before."""
    writer.write(b"220 sink.example ESMTP\r\n")
    transcript = b""
    while line := await reader.readline():
        transcript += line
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 Go\r\n")
            data = await reader.readuntil(b"\r\n.\r\n")
            arrivals.put_nowait((time.perf_counter(), transcript + data))
            transcript = b""
        writer.write(REPLIES.get(verb, b"250 2.0.0 Ok\r\n"))
        if verb == b"QUIT":
            break
    writer.close()


async def send(port: int, to: list[str], data: bytes) -> None:
    """One message; Failed when it is not taken."""
    reader, writer = await asyncio.open_connection(HOST, port)

    async def said(code: bytes) -> None:
        while (line := await reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            raise Failed(f"a lone message was answered {line!r}")

    await said(b"220")
    steps = [(f"EHLO {author.DOMAIN}".encode(), b"250"), (f"MAIL FROM:<{author.SENDER}>".encode(), b"250")]
    steps += [(f"RCPT TO:<{each}>".encode(), b"250") for each in to]
    for command, code in (*steps, (b"DATA", b"354")):
        writer.write(command + b"\r\n")
        await said(code)
    writer.write(data)
    await said(b"250")
    writer.write(b"QUIT\r\n")
    await said(b"221")
    writer.close()
    await writer.wait_closed()
