"""A large receiver: Postfix with a rspamd, which refuses in the session what it does not believe."""

from tests.judges.internet import Host
from tests.judges.names import Names
from tests.judges.rspamd import MILTER
from tests.stand import MASTER
from tests.waiting import until

MASTER_CF = "/usr/share/postfix/master.cf.dist"
SETTINGS = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = in.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
alias_maps =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_milters = {milter}
milter_default_action = tempfail
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
virtual_minimum_uid = 1
"""
# $1 is its folder, $2 the master.cf to begin with, $3 the owner of the mailbox.
PREPARE = """
mkdir -p "$1/queue" "$1/data" "$1/mail"
chown postfix "$1/data"
chown "$3" "$1/mail"
cp "$2" "$1/etc/master.cf"
postconf -c "$1/etc" -F '*/*/chroot=n'
postconf -c "$1/etc" -Me 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd'
touch -d '5 seconds ago' "$1"/etc/*
postfix -c "$1/etc" check
"""
OWNER = 65534  # nobody


class Receiver:
    """Every address of `domain` is one mailbox, and it needs a rspamd on its host."""

    def __init__(self, host: Host, domain: str, names: Names) -> None:
        self.host, self.domain = host, domain
        self.folder = host.folder / "postfix"
        names.host(host, f"in.{domain}")
        names.publish(f"{domain}. MX 10 in.{domain}.")

    def start(self) -> None:
        """Run; returns when it takes mail."""
        etc = self.folder / "etc"
        etc.mkdir(parents=True)
        values = {"folder": self.folder, "domain": self.domain, "milter": MILTER, "owner": OWNER}
        (etc / "main.cf").write_text(SETTINGS.format(**values))
        self.host.run("sh", "-euc", PREPARE, "sh", str(self.folder), MASTER_CF, str(OWNER))
        self.host.start(MASTER, "-s", "-c", str(etc))
        self.host.wait_listening(25)

    def marked(self, mark: str) -> list[bytes]:
        """What was accepted and delivered with that text in it, as it lies in the mailbox."""
        return [data for each in self.folder.glob("mail/new/*") if mark.encode() in (data := each.read_bytes())]

    def wait_for(self, mark: str) -> bytes:
        """The first of them."""
        return until(lambda: self.marked(mark), f"{mark} delivered")[0]
