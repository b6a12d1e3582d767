"""The key pair that a cluster's tokens are signed and verified with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from martlet_cluster.errors import ClusterError

FIRST_KEY_ID = "k1"


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def signing_key(directory: Path, key_id: str = FIRST_KEY_ID) -> Path:
    return directory / "keys" / "signing" / f"{key_id}.pem"


def public_keys(directory: Path) -> Path:
    return directory / "keys" / "public"


def make_pair(directory: Path, key_id: str = FIRST_KEY_ID) -> Path:
    """Makes the pair unless it is there; the private half appears complete or not at all."""
    private = signing_key(directory, key_id)
    public = public_keys(directory) / f"{key_id}.pem"
    private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    public.parent.mkdir(parents=True, exist_ok=True)
    if not private.exists():
        fresh = private.with_suffix(".new")
        _openssl("genpkey", "-algorithm", "ed25519", "-out", str(fresh))
        os.chmod(fresh, 0o600)
        fresh.rename(private)
    if not public.exists():
        _openssl("pkey", "-in", str(private), "-pubout", "-out", str(public))
    return private
