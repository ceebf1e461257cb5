"""`make run`: prepare a folder, then everything in demo/Procfile under honcho until Ctrl-C or SIGTERM.

honcho supervises; a keeper above it sees to it that nothing outlives us. Should honcho fall (a signal before it has
heard that all have started does that: KeyError 'pid'), what it had started becomes the keeper's
(PR_SET_CHILD_SUBREAPER) and is stopped there. The keeper is not the process that was started and that people kill:
should that one go, however it goes, the kernel tells the keeper (PR_SET_PDEATHSIG).
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
FOLDER = Path(os.environ.get("SMTPY_DEMO_DIR") or "/var/lib/smtpy-demo").absolute()
HOSTNAME, POSTMASTER = "mail.demo.example", "you@inbox.example"
FRONT = int(os.environ.get("SMTPY_DEMO_PORT") or 2525)
SPLIT, INBOX, DNS = FRONT + 1, FRONT + 74, FRONT + 53
WEB = int(os.environ.get("SMTPY_DEMO_WEB") or 8000)
PORTS = {FRONT: "SMTP", SPLIT: "the second pass", INBOX: "the demonstration's inbox", WEB: "the web pages"}
SUDO = [] if os.geteuid() == 0 else ["sudo", "-n"]
ENVIRON = {key: value for key, value in os.environ.items() if not key.startswith("SMTPY_")} | {
    "DEMO_DIR": str(FOLDER),
    "DEMO_FRONT": str(FRONT),
    "DEMO_INBOX": str(INBOX),
    "DEMO_DNS": str(DNS),
    "DEMO_WEB": f"http://localhost:{WEB}",
    "PATH": f"{BIN}:{os.environ['PATH']}",
    "SMTPY_CONFIG": str(FOLDER / "smtpy.toml"),
    "SMTPY_POSTFIX_DIR": str(FOLDER / "postfix" / "etc"),
    "SMTPY_WEB_BIND": f"127.0.0.1:{WEB}",
    "COLUMNS": str(shutil.get_terminal_size().columns),
}
HONCHO_PATIENCE = 8.0  # seconds; honcho itself kills after five
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MARK = "# From here on written by each `make run`:"


STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Wait for the keeper, and pass on to it what tells us to stop; its exit status."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    above = os.getpid()
    keeper = os.fork()
    if keeper == 0:
        return keep(above)
    for number in STOPS:
        signal.signal(number, lambda received, frame: os.kill(keeper, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    return os.waitstatus_to_exitcode(os.waitpid(keeper, 0)[1])


def keep(above: int) -> int:
    """The whole of it; the exit status."""
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in STOPS:
        signal.signal(number, asked_to_stop)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        if os.getppid() != above:
            return 0
        check_sudo()
        make_folder()
        lock = only_one()
        check_ports()
        prepare()
        return supervise(lock)
    except KeyboardInterrupt:
        return 0
    finally:
        stop_everything()


def prctl(option: int, value: int) -> None:
    """prctl(2), which Python has no name for."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def asked_to_stop(number: int, frame: object) -> None:
    """Once is enough: the signals that follow change nothing."""
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def check_sudo() -> None:
    """Postfix is started without a terminal, where sudo cannot ask for a password."""
    if SUDO and subprocess.run(["setsid", "--wait", *SUDO, "true"], capture_output=True, check=False).returncode:
        sys.exit("Postfix's master needs root: run this as root, or as a user whose sudo asks for no password.")


def make_folder() -> None:
    """Ours, and open to user postfix, which everything above it has to be as well."""
    if not os.access(FOLDER, os.W_OK):
        owner = f"{os.getuid()}:{os.getgid()}"
        subprocess.run([*SUDO, "install", "-d", "-m", "755", FOLDER], check=True)
        subprocess.run([*SUDO, "chown", owner, FOLDER], check=True)


def only_one() -> IO[str]:
    """Held by us and by honcho, until the last of it has gone."""
    lock = (FOLDER / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        who = lock.read().strip()
        sys.exit(f"SMTPy runs already, from {FOLDER}: stop it with Ctrl-C where it runs, or with: kill {who}")
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def check_ports() -> None:
    """Say who cannot have which port, before Postfix says it in its log."""
    for port, purpose in PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                name = "SMTPY_DEMO_WEB" if port == WEB else "SMTPY_DEMO_PORT"
                sys.exit(f"Port {port} of 127.0.0.1, for {purpose}, is taken: stop what has it, or set {name}.")


def prepare() -> None:
    """Settings, secrets, database and Postfix instance: made, or found as they were."""
    folders = ("--state-dir", FOLDER / "state", "--run-dir", FOLDER / "run")
    names = ("--hostname", HOSTNAME, "--postmaster", POSTMASTER)
    config = ("--config", FOLDER / "smtpy.toml")
    run(BIN / "smtpy", "init", *config, *names, *folders)
    set_here(FOLDER / "smtpy.toml")
    (FOLDER / "zones").mkdir(exist_ok=True)
    shutil.copy(HERE / "world.zone", FOLDER / "zones")
    values = {
        "SMTPY_RUN_DIR": FOLDER / "run",
        "SMTPY_HOSTNAME": HOSTNAME,
        "SMTP_LISTEN": f"127.0.0.1:{FRONT}",
        "SPLIT_LISTEN": f"127.0.0.1:{SPLIT}",
        "RELAYHOST": f"[127.0.0.1]:{INBOX}",
        "LOG_GROUP": os.getgid(),
    }
    settings = [f"{key}={value}" for key, value in values.items()]
    run(*SUDO, "env", *settings, HERE.parent / "postfix" / "instance", FOLDER / "postfix")


def set_here(file: Path) -> None:
    """Settings that `smtpy init` does not ask for, and that are another run's at another port."""
    ours = {
        "web_origin": f"http://localhost:{WEB}",
        "notice_server": f"inet:127.0.0.1:{FRONT}",
        "dns_servers": [f"127.0.0.1:{DNS}"],
        "check_resolvers": [f"127.0.0.1:{DNS}"],
        "postfix_log": str(FOLDER / "postfix" / "log" / "mail.log"),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in ours.items()]
    kept = file.read_text(encoding="utf-8").partition(MARK)[0]
    file.write_text("\n".join([kept + MARK, *lines, ""]), encoding="utf-8")


def run(*command: str | Path) -> None:
    """One step; if it fails it has said why."""
    if status := subprocess.run(command, env=ENVIRON, check=False).returncode:
        sys.exit(status)


def supervise(lock: IO[str]) -> int:
    """honcho, in a session of its own so that Ctrl-C reaches it through us; the exit status."""
    honcho = subprocess.Popen(
        [
            "setpriv",
            "--pdeathsig",
            "TERM",
            BIN / "honcho",
            "start",
            "-e",
            "/dev/null",
            "-d",
            ".",
            "-f",
            "demo/Procfile",
        ],
        cwd=HERE.parent,
        env=ENVIRON,
        pass_fds=[lock.fileno()],
        start_new_session=True,
    )
    try:
        honcho.wait()
        print("One of them ended, so the others were stopped; the lines above say why.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        honcho.terminate()
        try:
            honcho.wait(HONCHO_PATIENCE)
        except subprocess.TimeoutExpired:
            print("honcho did not finish: stopping its processes", file=sys.stderr)
        return 0


def stop_everything() -> None:
    """Whatever is still below us: asked, then made to."""
    for number, patience in ((signal.SIGTERM, 6.0), (signal.SIGKILL, 2.0)):
        for pid in descendants():
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):  # gone; or root's, which ends when its pipe closes
                continue
        deadline = time.monotonic() + patience
        while descendants() and time.monotonic() < deadline:
            time.sleep(0.05)


def descendants() -> list[int]:
    """Processes that are our children's children to any depth, the dead ones reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    below: list[int] = []
    parents = [os.getpid()]
    while parents:
        children = children_of(parents.pop())
        below += children
        parents += children
    return below


def children_of(pid: int) -> list[int]:
    """The kernel's own list, of each of its threads."""
    try:
        lists = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # gone between two looks
        return []
    return [int(each) for text in lists for each in text.split()]


if __name__ == "__main__":
    sys.exit(main())
