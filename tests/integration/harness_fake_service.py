"""Stands in for one of our services in the tests of the harness: it reads the same configuration and
keeps the same promises about its ready file and its pages, and does nothing else."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any


class Pages(http.server.BaseHTTPRequestHandler):
    answers = {
        "/readyz": (200, "ready\n"),
        "/metrics": (200, '# HELP a b\nfake_total{kind="x y"} 3\n'),
        "/broken": (500, "sorry\n"),
    }

    def do_GET(self) -> None:
        status, text = self.answers.get(self.path, (404, ""))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


def address(text: str) -> tuple[str, int]:
    host, port = text.rsplit(":", 1)
    return host, int(port)


def spelled(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"{host}:{port}"


def main() -> None:
    config = tomllib.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text())
    if config.get("fail"):
        sys.exit(f"fake: {config['fail']}")
    pages = http.server.ThreadingHTTPServer(address(config["http"]["listen"]), Pages)
    report: dict[str, Any] = {"name": config["name"], "pid": os.getpid()}
    report["http"] = spelled(pages.socket)
    if "edge" in config:
        listener = socket.create_server(address(config["edge"]["listen"]))
        report["listen"] = spelled(listener)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    print("fake:", json.dumps(config), flush=True)
    fresh = Path(config["ready_file"] + ".new")
    fresh.write_text(json.dumps(report))
    fresh.rename(config["ready_file"])
    stops = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    signal.sigwait(stops)
    print("fake: stopped by SIGTERM", flush=True)


if __name__ == "__main__":
    main()
