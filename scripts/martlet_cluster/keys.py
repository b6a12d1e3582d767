"""What opens doors: the key pair of a cluster's tokens, the tokens of its api, certificates and ticket keys of TLS."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from martlet_cluster.errors import ClusterError
from martlet_cluster.member import write_private

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


ROLES = ("viewer", "operator", "admin")


def api_tokens(directory: Path) -> Path:
    """The file for api.tokens."""
    return directory / "keys" / "api_tokens"


def api_token_file(directory: Path, role: str = "admin") -> Path:
    """The file whose first line is the token of somebody of that role, who has the role's name."""
    return directory / "keys" / f"api_token_{role}"


def api_token(directory: Path, role: str = "admin") -> str:
    return api_token_file(directory, role).read_text().strip()


def make_api_tokens(directory: Path) -> Path:
    """One of each role, unless they are there."""
    file = api_tokens(directory)
    if file.exists():
        return file
    lines = []
    for role in ROLES:
        token = "ma1_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        write_private(api_token_file(directory, role), token + "\n")
        lines.append(f"{role} {role} {hashlib.sha256(token.encode()).hexdigest()}\n")
    write_private(file, "".join(lines))
    return file


@dataclass(frozen=True)
class Certificate:
    """One that signs itself: it is also what clients are told to trust."""

    file: Path
    key: Path

    def settings(self) -> dict[str, str]:
        return {"edge.tls_cert": str(self.file), "edge.tls_key": str(self.key)}


def make_certificate(directory: Path, names: str = "IP:127.0.0.1", days: int = 30) -> Certificate:
    """Replaces the one that was there. names: as in DNS:chat.example,IP:127.0.0.1."""
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificate(directory / "cert.pem", directory / "key.pem")
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", f"/CN=test of {secrets.token_hex(4)}", "-addext", f"subjectAltName={names}"),
        *("-days", str(days), "-keyout", str(made.key), "-out", str(made.file)),
    )
    return made


def ticket_key() -> str:
    """A line of a file of ticket keys."""
    return base64.b64encode(secrets.token_bytes(80)).decode() + "\n"
