"""Users of another service, who come by TLS: what compose/tls.yaml and compose/identity.yaml switch on."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import issuer
from compose.stack import UP, Stack, StackError

from martlet_cluster import keys

COMPOSE = Path(__file__).resolve().parents[2] / "compose"
FILES = ("tls.yaml", "identity.yaml")
SERVER = "haproxy"  # as clients inside call it
SEEN = "/outside"  # the directory, to the command line client
USER = "otto"
WORDS = "hello from elsewhere"


def admit(stack: Stack, directory: Path) -> None:
    """One of them logs in and writes to somebody who is here."""
    made = keys.make_certificate(directory / "made", f"DNS:{SERVER}")
    tls, identity, outside = (directory / name for name in ("tls", "identity", "outside"))
    for place in (tls, identity, outside):
        place.mkdir()
    shutil.copy(made.file, tls / "tls.crt")
    shutil.copy(made.key, tls / "tls.key")
    key = issuer.Key(directory / "issuer", "k1", "EdDSA")
    issuer.write_jwks(identity / "jwks.json", key)
    shutil.copy(made.file, outside / "ca.crt")
    (outside / "token").write_text(key.token(USER))
    for readable in (outside, *outside.iterdir()):
        readable.chmod(0o755 if readable.is_dir() else 0o644)
    os.environ.update(
        TLS_DIR=str(tls),
        IDENTITY_DIR=str(identity),
        IDENTITY_ISSUER=issuer.ISSUER,
        IDENTITY_AUDIENCE=issuer.AUDIENCE,
    )
    opened = replace(stack, files=[*stack.files, *(COMPOSE / name for name in FILES)])
    scale = ["--scale", f"edge={stack.edge_count}"]
    opened.compose(*UP, *scale, "secrets", "edge", "persist")
    opened.wait_well()
    by_tls = ["--tls-ca", f"{SEEN}/ca.crt"]
    run = ["run", "--rm", "-T", "-v", f"{outside}:{SEEN}:ro", "martlet", "--home", f"/homes/{USER}"]
    opened.compose(*run, *by_tls, "login", USER, "--token-file", f"{SEEN}/token")
    opened.compose(*run, *by_tls, "send", "bob", WORDS)
    said = opened.compose(*run, *by_tls, "history", "bob")
    if said.count(WORDS) != 1:
        raise StackError(f"{WORDS!r} is there {said.count(WORDS)} times: {said!r}")
