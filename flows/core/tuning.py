"""Settings of the embedded server, scaled to the machine it runs on."""

import os
import shutil
from pathlib import Path

MEGABYTE = 1024 * 1024
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def configuration(port: int) -> str:
    """Return the server's configuration file for this machine."""
    memory, cores = machine_memory() // MEGABYTE, os.cpu_count() or 1
    values = {
        "listen_addresses": "'127.0.0.1'",
        "port": port,
        "unix_socket_directories": "''",  # a socket's path may not be longer than 107 bytes
        "max_connections": 100,
        # Capped so that the idle stack stays under a gigabyte when the cache is warm.
        "shared_buffers": f"{min(max(memory // 8, 32), 512)}MB",
        "effective_cache_size": f"{max(memory // 2, 128)}MB",
        "work_mem": "64MB" if memory > 4096 else "16MB",  # noqa: PLR2004 - megabytes
        "maintenance_work_mem": f"{min(max(memory // 16, 32), 512)}MB",
        "dynamic_shared_memory_type": _shared_memory_type(),
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "4GB",
        "checkpoint_timeout": "30min",
        # Rows and the cursor that moves past them commit together: what a power cut takes, it
        # takes as a whole, and the next run fetches it again.
        "synchronous_commit": "off",
        "random_page_cost": 1.1,
        "jit": "off",
        "max_worker_processes": max(8, cores * 2),
        "max_parallel_workers": cores,
        "max_parallel_workers_per_gather": max(1, cores // 2),
        "autovacuum": "on",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_checkpoints": "off",
        # Failing statements and key values may hold personal data: the log names the error only.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def machine_memory() -> int:
    """Return the bytes of memory this process may use, a container's limit included."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [int(text) for path in CGROUP_LIMITS if (text := _read(path)).isdigit()]
    return min([physical, *limits])


def _shared_memory_type() -> str:
    """Containers often have 64 MB of /dev/shm, too little for a parallel hash join."""
    try:
        roomy = shutil.disk_usage("/dev/shm").total > 1024 * MEGABYTE  # noqa: S108 - only asked
    except OSError:
        return "posix"
    return "posix" if roomy else "mmap"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
