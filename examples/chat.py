#!/usr/bin/env python3
"""A chat client in one file, written from docs/protocol.md: standard library, JSON codec.
Sends each line of the standard input to the peer and prints what arrives; ends with the input.
Keeps nothing on disk and does not reconnect: every start begins with a first SYNC.
"""
import argparse
import json
import os
import select
import socket
import ssl
import struct
import sys
import time

HEADER = struct.Struct(">2sBBHHII")  # magic, version, codec, command, flags, request id, length
REQUESTS = {"Register": 2, "Login": 3, "Auth": 4, "Goodbye": 6, "Send": 16, "Sync": 32, "Fetch": 33}
MESSAGE, RESYNC, KICKED, RECONNECT, ERROR = 0x4001, 0x4010, 0x4011, 0x4012, 0xFFFF


class Chat:
    def __init__(self, args):
        self.args = args
        host, port = args.server.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        if args.tls:
            trusted = ssl.create_default_context(cafile=args.tls_ca)
            self.socket = trusted.wrap_socket(self.socket, server_hostname=host)
        self.requests = 0
        self.token = None  # of the last complete SYNC
        self.last, self.ahead = {}, {}  # by conversation: seq up to which all was shown; what is above a gap

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data)) or sys.exit("the server closed the connection")
        return data

    def read_frame(self):
        *_, command, _, request_id, length = HEADER.unpack(self.read_exactly(16))
        return command, request_id, json.loads(self.read_exactly(length))

    def call(self, command, **body):
        """The answer to a request. Repeats it unchanged while the server says retryable."""
        self.requests += 1
        data = json.dumps(body).encode()
        self.socket.sendall(HEADER.pack(b"MT", 1, 1, REQUESTS[command], 0, self.requests, len(data)) + data)
        while True:
            answer, request_id, content = self.read_frame()
            if request_id != self.requests:
                self.on_event(answer, content)
            elif answer != ERROR:
                return content
            elif not content["retryable"]:
                sys.exit(f"{command}: {content['name']} {content.get('detail', '')}")
            else:
                time.sleep(max(content["retry_after_ms"], 100) / 1000)
                body.pop("age_ms", None)  # it is not new any more
                return self.call(command, **body)

    def on_event(self, command, body):
        if command == MESSAGE and self.token is not None:  # else the SYNC under way tells of it
            self.take(body)
        elif command == RESYNC:
            self.sync_within(os.urandom(1)[0] / 256 * body["within_ms"] / 1000)
        elif command in (KICKED, RECONNECT, ERROR):
            sys.exit(f"the server ended the session: {json.dumps(body)}")

    def sync_within(self, seconds):
        self.sync_at = min(self.sync_at, time.monotonic() + seconds)

    def take(self, message):
        """The gap rule: shows messages in the order of seq, each once. A SYNC closes gaps."""
        name, seq = message["conversation"], int(message["seq"])
        ahead = self.ahead.setdefault(name, {})
        if seq > self.last.setdefault(name, 0):
            ahead[seq] = message
        while self.last[name] + 1 in ahead:
            self.last[name] += 1
            self.show(ahead.pop(self.last[name]))
        if ahead:
            self.sync_within(0.3)

    def show(self, message):
        content = message.get("content")  # withheld and removed messages have none
        if content:
            key = {"Custom": "type_name", "File": "file", "Members": "members"}.get(content["kind"], "text")
            what = content.get(key, "")  # members: who came or went
            print(f"[{message['conversation']} {message['seq']}] {message['sender']}: {what}", flush=True)

    def sync(self):
        self.sync_at = time.monotonic() + self.rhythm
        page, token, lacking = None, None, []
        while token is None:
            answer = self.call("Sync", token=self.token, page=page)
            page, token = answer.get("next_page"), answer.get("token")
            for state in answer.get("conversations", []):
                name, end, newest = state["conversation"], int(state["last_seq"]), state.get("newest", [])
                begin = int(newest[0]["seq"] if newest else state["start_seq"])
                self.last.setdefault(name, max(begin, 1) - 1)
                for message in newest:
                    self.take(message)
                if end > self.last[name]:
                    lacking.append({"conversation": name, "from": str(self.last[name] + 1), "to": str(end)})
        if answer["behind"]:
            self.sync_within(answer["again_in_ms"] / 1000)
        self.fetch(lacking)
        self.token = token

    def fetch(self, ranges):
        while ranges:  # a few hundred at a time, so that long names fit into a body
            answer = self.call("Fetch", ranges=ranges[:300])
            for message in answer.get("messages", []):
                self.take(message)
            for gap in answer.get("withheld", []):  # counts as received
                for seq in range(int(gap["from"]), int(gap["to"]) + 1):
                    self.take(dict(gap, seq=seq))
            ranges = answer.get("remaining", []) + ranges[300:]

    def send(self, text):
        """Waits for the ACK: that keeps the order without `follows`."""
        content, noise = {"kind": "Text", "text": text}, os.urandom(9).hex()
        uuid7 = f"{int(time.time() * 1000):012x}7{noise[:3]}8{noise[3:18]}"
        to = {"to_group": self.args.to[2:]} if self.args.to[:2] == "g:" else {"to_user": self.args.to}
        ack = self.call("Send", **to, client_msg_id=uuid7, content=content, age_ms=0)
        self.take(dict(ack, sender=self.args.user, content=content))

    def run(self):
        account = {"user": self.args.user, "password": self.args.password}
        if self.args.register:
            self.call("Register", **account)
        tokens = self.call("Login", device="chat-py", **account)
        session = self.call("Auth", access_token=tokens["access_token"], client="chat.py")
        self.rhythm = min(session["tail_check_ms"], session["heartbeat_ms"] / 2) / 1000  # SYNC is a pulse, too
        self.sync()
        self.sync_within(2)
        typed, sources = b"", [self.socket, sys.stdin] if self.args.to else [self.socket]
        while True:
            inside = self.args.tls and self.socket.pending()  # of TLS: select does not see it
            ready = select.select(sources, [], [], 0 if inside else max(0, self.sync_at - time.monotonic()))[0]
            if inside and self.socket not in ready:
                ready.append(self.socket)
            if self.socket in ready:
                command, _, body = self.read_frame()
                self.on_event(command, body)
            if sys.stdin in ready:
                data = os.read(0, 65536)
                *lines, typed = (typed + data).split(b"\n")
                for line in lines if data else filter(None, [typed]):
                    self.send(line.decode())
                if not data:
                    return self.call("Goodbye")
            if time.monotonic() >= self.sync_at:
                self.sync()


parser = argparse.ArgumentParser(description=__doc__)
for flag in ("--server", "--user", "--password"):
    parser.add_argument(flag, required=True)
parser.add_argument("--register", action="store_true", help="make the account first")
parser.add_argument("--tls", action="store_true", help="speak TLS to the server")
parser.add_argument("--tls-ca", metavar="FILE", help="certificates to trust rather than the system's")
parser.add_argument("--to", metavar="PEER", help="who gets the lines; without it only listen")
Chat(parser.parse_args()).run()
