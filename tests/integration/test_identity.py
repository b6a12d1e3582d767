"""Users of another service, which says who they are: its tokens let them in without a password here."""

from __future__ import annotations

import secrets
import unittest
from pathlib import Path
from typing import Any, ClassVar

import issuer
from support import ClusterTest, new_directory, wait_until
from wire_client import AUTH, ERROR, LOGIN, REFRESH, REGISTER, Frame, WireClient

from martlet_cluster.tool import Finished, Tool

PASSWORD = "correct horse"
LIFE_S = 120  # of such a login; refreshing does not make it longer


class IdentityTest(ClusterTest):
    edges = 1
    dispatchers = 1
    settings: ClassVar[dict[str, Any]] = {}
    place: ClassVar[Path]
    jwks: ClassVar[Path]
    secret: ClassVar[bytes]
    edwards: ClassVar[issuer.Key]
    ecdsa: ClassVar[issuer.Key]

    @classmethod
    def setUpClass(cls) -> None:
        cls.place = new_directory(cls.__name__)
        cls.jwks = cls.place / "jwks.json"
        cls.edwards = issuer.Key(cls.place, "ed", "EdDSA")
        cls.ecdsa = issuer.Key(cls.place, "ec", "ES256")
        issuer.write_jwks(cls.jwks, cls.edwards, cls.ecdsa)
        cls.secret = secrets.token_hex(32).encode()
        (cls.place / "secret").write_bytes(cls.secret + b"\n")
        persist = {
            "identity.issuer": issuer.ISSUER,
            "identity.audience": issuer.AUDIENCE,
            "identity.jwks": str(cls.jwks),
            "identity.secret": str(cls.place / "secret"),
            "identity.login_life_s": LIFE_S,
            **cls.settings,
        }
        cls.overrides = {"persist": persist}
        super().setUpClass()

    def call(self, command: int, **body: Any) -> Frame:
        client = WireClient(self.cluster.edges[0].listen)
        self.addCleanup(client.close)
        return client.call(command, **body)

    def log_in(self, user: str, token: str, device: str = "d1", **more: str) -> Frame:
        return self.call(LOGIN, user=user, device=device, token=token, **{"password": "", **more})

    def refusal(self, user: str, token: str, device: str = "d1", **more: str) -> str | None:
        answer = self.log_in(user, token, device, **more)
        return str(answer.body["name"]) if answer.command == ERROR else None


class Identity(IdentityTest):
    def tool(self, user: str) -> Tool:
        return Tool([self.cluster.edges[0].listen], self.cluster.directory / "homes" / user)

    def run_tool(self, user: str, *words: str, text: str = "") -> Finished:
        done = self.tool(user).run(*words, text=text)
        self.assertEqual(done.code, 0, done.errors)
        return done

    def wait_for_log(self, text: str) -> None:
        persist = self.cluster.persists[0]
        wait_until(lambda: text in persist.log_tail(1000), what=f"{text} in persist's log")

    def test_people_of_both_kinds_chat(self) -> None:
        self.run_tool("old", "register", "old", "--password-file", "-", text=PASSWORD)
        tokens = {
            "hanna": issuer.by_secret(self.secret, "hanna"),
            "edgar": self.edwards.token("edgar", aud=["mail", issuer.AUDIENCE]),
            "ecki": self.ecdsa.token("ecki"),
        }
        for user, token in tokens.items():
            with self.subTest(user):
                self.run_tool(user, "login", user, "--token-file", "-", text=token)
                listening = self.tool("old").start("listen", "--count", "1")
                self.addCleanup(listening.kill)
                self.run_tool(user, "send", "old", f"hello from {user}")
                listening.wait_for(f"hello from {user}")
                self.run_tool("old", "send", user, "hello back")
                self.assertIn("hello back", "".join(self.run_tool(user, "history", "old").lines))

    def test_what_is_refused(self) -> None:
        key = self.edwards
        stranger = issuer.Key(self.place / "others", "ed", "EdDSA")
        unsigned = issuer.token({"alg": "none"}, "eve", lambda _: b"")
        confused = issuer.by_secret(key.public_pem(), "eve")
        for token, code in (
            (key.token("eve", iss="https://id.test/"), "TOKEN_INVALID"),
            (key.token("eve", aud="mail"), "TOKEN_INVALID"),
            (key.token("eve", exp=1_000_000_000), "TOKEN_EXPIRED"),
            (key.token("eve", nbf=4_000_000_000), "TOKEN_INVALID"),
            (key.token("adam"), "TOKEN_INVALID"),
            (key.token("auth0|eve"), "BAD_ID"),
            (stranger.token("eve"), "TOKEN_INVALID"),
            (unsigned, "TOKEN_INVALID"),
            (confused, "TOKEN_INVALID"),
            (issuer.by_secret(b"x" * 32, "eve"), "TOKEN_INVALID"),
            ("nonsense", "TOKEN_INVALID"),
        ):
            with self.subTest(token):
                self.assertEqual(self.refusal("eve", token), code)
        self.assertEqual(self.refusal("eve", key.token("eve"), password="both"), "BAD_BODY")
        answer = self.call(AUTH, access_token=key.token("eve"))
        self.assertEqual(answer.body["name"], "TOKEN_INVALID", "it is LOGIN that takes them")
        self.assertEqual(self.refusal("eve", key.token("eve")), None)

    def test_accounts_belong_to_one_of_both(self) -> None:
        self.call(REGISTER, user="paul", password=PASSWORD)
        self.assertEqual(self.refusal("paul", self.edwards.token("paul")), "USER_TAKEN")
        self.assertEqual(self.refusal("Paul", self.edwards.token("Paul")), "USER_TAKEN")
        self.assertIsNone(self.refusal("vera", self.edwards.token("vera")))
        answer = self.call(REGISTER, user="vera", password=PASSWORD)
        self.assertEqual(answer.body["name"], "USER_TAKEN")
        for password in ("", PASSWORD):
            answer = self.call(LOGIN, user="vera", device="d2", password=password)
            self.assertEqual(answer.body["name"], "WRONG_PASSWORD")

    def test_refreshing_does_not_make_a_login_longer(self) -> None:
        tokens = self.log_in("rita", self.ecdsa.token("rita")).body
        self.assertLessEqual(tokens["expires_in_s"], LIFE_S)
        ends = self.ends_of("rita")
        self.assertEqual(len(ends), 1)
        answer = self.call(REFRESH, refresh_token=tokens["refresh_token"])
        self.assertNotEqual(answer.command, ERROR, answer)
        self.assertEqual(self.ends_of("rita"), ends * 2)

    def ends_of(self, user: str) -> list[str]:
        sql = f"SELECT expires_ms FROM refresh_tokens WHERE user_id = '{user}';"
        return [row[0] for row in self.cluster.psql(sql)]

    def test_banned_and_signed_out_devices(self) -> None:
        token = self.edwards.token("bea")
        first = self.log_in("bea", token).body["access_token"]
        api = self.cluster.apis[0]
        for act, code in (("revoke", None), ("ban", "DEVICE_BANNED"), ("unban", None)):
            with self.subTest(act):
                status, page = api.post(f"/v1/users/bea/devices/d1/{act}")
                self.assertEqual(status, 200, page)
                if act == "revoke":
                    refused = self.call(AUTH, access_token=first)
                    self.assertEqual(refused.body["name"], "TOKEN_REVOKED")
                self.assertEqual(self.refusal("bea", token), code)

    def test_keys_are_exchanged_while_people_chat(self) -> None:
        old = self.ecdsa.token("kim")
        self.assertIsNone(self.refusal("kim", old))
        listening = self.tool("kim2")
        self.run_tool("kim2", "login", "kim2", "--token-file", "-", text=self.ecdsa.token("kim2"))
        running = listening.start("listen")
        self.addCleanup(running.kill)
        fresh = issuer.Key(self.place / "fresh", "ec2", "ES256")
        try:
            issuer.write_jwks(self.jwks, self.edwards, fresh)
            wait_until(lambda: self.refusal("kim", fresh.token("kim")) is None, what="the new key")
            self.assertEqual(self.refusal("kim", old), "TOKEN_INVALID")
            self.jwks.write_text("half of a s")
            self.wait_for_log("identity_keys_not_read")
            self.assertIsNone(self.refusal("kim", fresh.token("kim")), "the keys stay as they were")
        finally:
            issuer.write_jwks(self.jwks, self.edwards, self.ecdsa)
        wait_until(lambda: self.refusal("kim", old) is None, what="the old key again")
        self.run_tool("kim", "login", "kim", "--token-file", "-", text=old)
        self.run_tool("kim", "send", "kim2", "still there")
        running.wait_for("still there")


class MappedClaims(IdentityTest):
    settings: ClassVar[dict[str, Any]] = {
        "identity.user_claim": "login",
        "identity.device_claim": "dev",
        "identity.app_claim": "tenant",
    }

    def test_user_device_and_app_are_the_tokens(self) -> None:
        def token(tenant: str = "main", login: str = "ann", dev: str = "phone") -> str:
            return self.edwards.token("12345", tenant=tenant, login=login, dev=dev)

        self.assertIsNone(self.refusal("ann", token(), "phone"))
        self.assertEqual(self.refusal("ann", token(), "pad"), "TOKEN_INVALID")
        self.assertEqual(self.refusal("ben", token(), "phone"), "TOKEN_INVALID")
        self.assertEqual(self.refusal("ann", token(tenant="other"), "phone"), "TOKEN_INVALID")


class WithoutProvider(ClusterTest):
    edges = 1
    dispatchers = 1
    apis = 0

    def test_no_token_of_others_is_taken(self) -> None:
        key = issuer.Key(new_directory("keys"), "ed", "EdDSA")
        client = WireClient(self.cluster.edges[0].listen)
        self.addCleanup(client.close)
        body = {"user": "ann", "device": "d1", "password": "", "token": key.token("ann")}
        self.assertEqual(client.call(LOGIN, **body).body["name"], "TOKEN_INVALID")


if __name__ == "__main__":
    unittest.main()
