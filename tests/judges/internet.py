"""An internet of our own: hosts in namespaces on one bridge, which see each other and nothing else.

All of it lives below one process, the first of a private PID namespace, whose standard input is a pipe from here. When
the pipe closes, however pytest ends, that process does, and the kernel ends every other one in the namespace; with the
last of them go the network namespaces and mounts. Nothing of the machine is changed, and nothing is left.

A host has its own network, name and mounts (so its own /etc/resolv.conf), and shares the files and users of the
machine. Addresses are of 203.0.113.0/24, which RFC 5737 keeps for such uses. All this takes root.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.waiting import until

REPOSITORY = Path(__file__).parents[2]
NETWORK = "203.0.113"
DNS = f"{NETWORK}.53"
WORLD = ("unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--mount-proc", "--propagation", "private")
HOST = ("unshare", "--mount", "--net", "--uts", "--propagation", "private")
# Run once in each host; $1 is its name, $2 its folder. `cat` ends with our pipe, too.
SETTLE = """
set -e
for file in resolv.conf hosts; do mount --bind "$2/$file" "/etc/$file"; done
hostname "$1"
echo settled
exec cat
"""
WIRES = """
set -e
ip link set lo up
ip link set eth0 up
ip addr add "$1/24" dev eth0
"""


@dataclass
class Host:
    """One host: `run` a command in it to its end, or `start` one that stays until the internet closes."""

    name: str
    address: str
    folder: Path  # its own, for whatever it runs; readable by every user
    pid: int
    _started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def command(self, *words: str) -> list[str]:
        """The command as one for the machine. Relative paths are those of the repository."""
        inside = ("nsenter", f"--target={self.pid}", "--mount", "--net", "--uts", "--ipc", "--pid")
        return [*inside, "env", f"--chdir={REPOSITORY}", *words]

    def run(self, *words: str, stdin: bytes = b"", check: bool = True) -> bytes:
        """Its output. With `check` a status other than 0 fails, and says what it printed."""
        done = subprocess.run(self.command(*words), input=stdin, capture_output=True, check=False, timeout=120)
        assert not check or done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stderr.decode()}"
        return done.stdout

    def ask(self, module: str, question: Any) -> Any:
        """Run a module of this package in the host: JSON in, JSON out."""
        return json.loads(self.run(sys.executable, "-m", f"tests.judges.{module}", stdin=json.dumps(question).encode()))

    def start(self, *words: str, **environ: str) -> None:
        """Start a command that stays. What it prints is in `log`."""
        with (self.folder / "log").open("ab") as log:
            self._started.append(
                subprocess.Popen(
                    self.command(*words),
                    env={**os.environ, **environ},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def log(self) -> str:
        """What its processes have printed."""
        return (self.folder / "log").read_text(errors="replace")

    def wait_listening(self, port: int) -> None:
        """Until a process of this host listens on that TCP port, at whatever address."""
        listening = re.compile(rf":{port:04X} \S+ 0A ")  # proc(5)

        def listens() -> bool:
            for each in self._started:
                assert each.poll() in {None, 0}, f"a process of {self.name} has ended:\n{self.log()}"
            return listening.search(Path(f"/proc/{self.pid}/net/tcp").read_text()) is not None

        until(listens, f"{self.name} listening on {port}", 60)

    def _wait(self) -> None:
        for each in self._started:
            each.wait(20)


class Internet:
    """Made with `with`; `host` adds to it. Every host asks the name server at `DNS`, whoever that is."""

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="smtpy-judges-"))
        self.folder.chmod(0o755)
        self.hosts: dict[str, Host] = {}
        self._roots: list[subprocess.Popen[bytes]] = []
        self._pid = self._root(*WORLD, "sh", "-c", "echo settled; exec cat")
        self._outside("ip", "link", "set", "lo", "up")
        self._outside("ip", "link", "add", "inet0", "type", "bridge")
        self._outside("ip", "link", "set", "inet0", "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._roots:
            with suppress(BrokenPipeError):
                each.communicate(timeout=20)  # closes its standard input
        for host in self.hosts.values():
            host._wait()
        shutil.rmtree(self.folder)

    def host(self, name: str, number: int) -> Host:
        """A new host, 203.0.113.`number`."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:2 attempts:2\n")
        (folder / "hosts").write_text("127.0.0.1 localhost\n")
        inside = ("nsenter", f"--target={self._pid}", "--mount", "--net", "--uts", "--ipc", "--pid", "--")
        pid = self._root(*inside, *HOST, "sh", "-c", SETTLE, "sh", name, str(folder))
        self._outside("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._outside("ip", "link", "set", name, "master", "inet0", "up")
        address = f"{NETWORK}.{number}"
        host = self.hosts[name] = Host(name, address, folder, pid)
        host.run("sh", "-c", WIRES, "sh", address)
        return host

    def _root(self, *command: str) -> int:
        """Start what holds a namespace up; its process id, which is that of its last descendant."""
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._roots.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"settled\n", f"no namespaces here: {command} ended"
        pid = str(process.pid)
        while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            (pid,) = children
        return int(pid)

    def _outside(self, *command: str) -> None:
        """A command in the network that the hosts are plugged into, with the machine's process ids."""
        subprocess.run(["nsenter", f"--target={self._pid}", "--net", *command], check=True)
