"""A network of the benchmark's own (network_namespaces(7)): loopback, with one address more on it.

The stacks listen on HOST, and so the load comes from there. From 127.0.0.1 it would be a client of their own to SMTPy
and rspamd, and nobody would ask who its mail is from. Ports are free, and port 53 is ours.
"""

import ctypes
import os

from bench.machine import Failed
from bench.processes import run

HOST = "192.0.2.1"
NAMESERVER = ("127.0.0.1", 53)
_CLONE_NEWNET = 0x40000000  # unshare(2)


def enter() -> None:
    """From now on this process has that network, and so do the processes that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise Failed(f"a network of its own takes root with CAP_SYS_ADMIN: {os.strerror(ctypes.get_errno())}")
    run(["ip", "link", "set", "lo", "up"])
    run(["ip", "address", "add", f"{HOST}/32", "dev", "lo"])
