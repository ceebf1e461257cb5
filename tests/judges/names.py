"""The private DNS: unbound with local data only. What it was not told of does not exist, and it says so at once.

Names are under .example: libunbound, in opendkim, has an empty `test.` zone built in.
"""

from collections.abc import Iterator

from tests.judges.internet import Host

CONFIGURATION = """
server:
  interface: {address}
  access-control: 0.0.0.0/0 allow
  chroot: ""
  username: ""
  directory: {folder}
  pidfile: {folder}/unbound.pid
  use-syslog: no
  module-config: iterator
  local-zone: . static
  local-zone: {deaf} always_refuse
remote-control:
  control-enable: yes
  control-interface: {folder}/control
"""


class Names:
    """`publish` adds records; names under `DEAF` are never answered with more than REFUSED."""

    DEAF = "deaf.example"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._configuration = host.folder / "unbound.conf"

    def start(self) -> None:
        """Answer; returns when it does."""
        self._configuration.write_text(
            CONFIGURATION.format(address=self._host.address, folder=self._host.folder, deaf=self.DEAF)
        )
        self._host.start("unbound", "-d", "-c", str(self._configuration))
        self._host.wait_listening(53)

    def publish(self, *records: str) -> None:
        """Lines of a master file, with whole names: `a.example. TXT "text"`."""
        said = self._control("local_datas", stdin="\n".join((*records, "")))
        assert f"added {len(records)} " in said, said

    def host(self, host: Host, name: str) -> None:
        """Its name, both ways."""
        number = host.address.rpartition(".")[2]
        self.publish(f"{name}. A {host.address}", f"{number}.113.0.203.in-addr.arpa. PTR {name}.")

    def _control(self, *words: str, stdin: str = "") -> str:
        return self._host.run("unbound-control", "-c", str(self._configuration), *words, stdin=stdin.encode()).decode()


def txt(name: str, text: str) -> str:
    """A TXT record, in strings of at most 255 octets."""
    return f"{name}. TXT {' '.join(quoted(text))}"


def quoted(text: str) -> Iterator[str]:
    """The strings, for a master file."""
    for start in range(0, len(text), 255):
        yield f'"{text[start : start + 255]}"'
