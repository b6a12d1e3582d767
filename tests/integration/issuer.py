"""Another service that says who somebody is: makes tokens, by the openssl command and the standard library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time
from pathlib import Path
from typing import Any

from support import longer

ISSUER, AUDIENCE = "https://id.test", "chat"
HALF = 32  # bytes of a coordinate, and of half a signature


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments: str, data: bytes | None = None) -> bytes:
    done = subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=True, timeout=longer(30)
    )
    return done.stdout


def _raw_signature(der: bytes) -> bytes:
    """Of a SEQUENCE of two INTEGERs, each shorter than 128 bytes."""
    numbers, rest = [], der[2:]
    while rest:
        size = rest[1]
        numbers.append(rest[2 : 2 + size].lstrip(b"\0").rjust(HALF, b"\0"))
        rest = rest[2 + size :]
    return b"".join(numbers)


class Key:
    """A pair for EdDSA or ES256."""

    def __init__(self, directory: Path, kid: str, algorithm: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.kid, self.algorithm = kid, algorithm
        self._file = directory / f"{kid}.pem"
        kind = ["ed25519"] if algorithm == "EdDSA" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        _openssl("genpkey", "-algorithm", *kind, "-out", str(self._file))

    def jwk(self) -> dict[str, str]:
        der = _openssl("pkey", "-in", str(self._file), "-pubout", "-outform", "DER")
        named = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "x": encode(der[-HALF:]), **named}
        x, y = der[-2 * HALF : -HALF], der[-HALF:]
        return {"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), **named}

    def public_pem(self) -> bytes:
        return _openssl("pkey", "-in", str(self._file), "-pubout")

    def sign(self, text: bytes) -> bytes:
        if self.algorithm == "ES256":
            return _raw_signature(_openssl("dgst", "-sha256", "-sign", str(self._file), data=text))
        message = self._file.with_suffix(".message")
        message.write_bytes(text)
        return _openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self._file), "-in", str(message))

    def token(self, user: str, **claims: Any) -> str:
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        return token(header, user, self.sign, **claims)


def token(header: dict[str, Any], user: str, sign: Any, **claims: Any) -> str:
    """Of good claims, but for those that are named."""
    now = int(time.time())
    body = {"iss": ISSUER, "aud": AUDIENCE, "sub": user, "iat": now, "exp": now + 300, **claims}
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, body))
    return f"{text}.{encode(sign(text.encode()))}"


def by_secret(secret: bytes, user: str, **claims: Any) -> str:
    def sign(text: bytes) -> bytes:
        return hmac.digest(secret, text, hashlib.sha256)

    return token({"alg": "HS256"}, user, sign, **claims)


def write_jwks(file: Path, *keys: Key) -> None:
    """All or nothing, as who serves such a file does."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"keys": [key.jwk() for key in keys]}))
    fresh.rename(file)
