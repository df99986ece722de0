"""A small front to the local AWS: one plain address for curl, in place of an API's own host name.

The emulator finds an API by the Host header. This server forwards every request with that header set and leaves the
rest alone: the bytes of the body, all other headers, the status.

It also has the API reference, so that the page can try the API out: a page may call the server that it comes from.
"""

from __future__ import annotations

import argparse
import http.client
import mimetypes
import os
import re
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
"""Headers that belong to one connection, not to the message (RFC 9110, section 7.6.1)."""

MAXIMUM_BODY = 10 * 1024 * 1024
"""What an HTTP API of API Gateway takes, in bytes."""

ANSWER_SECONDS = 30.0
"""The longest that API Gateway waits for a function."""

AT_WORK = 6 * (os.cpu_count() or 1)
"""Requests that are let through at once. On AWS each has a processor of its own; here all share this machine's, and
more at once would run into time limits together. The others wait their turn."""

DOCS = Path(__file__).resolve().parents[2] / "docs"

SKIP_BYTES = 64 * 1024 * 1024
SKIP_SECONDS = 0.5

CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")


def reference_files() -> dict[str, Path]:
    """The files of the API reference by path. What is not listed here is not served, whatever a path looks like."""
    folder = DOCS / "reference"
    files = {f"/reference/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()}
    return {"/reference/": folder / "index.html", "/openapi.json": DOCS / "openapi.json"} | files


class BadRequest(Exception):
    """The request cannot be read as HTTP."""


class TooLarge(Exception):
    """The body passes `MAXIMUM_BODY`."""


class Front(ThreadingHTTPServer):
    """The listening server; a thread per connection."""

    request_queue_size = 512
    daemon_threads = True

    def __init__(self, port: int, target_port: int, target_host: str) -> None:
        super().__init__(("127.0.0.1", port), Forward)
        self.target_port = target_port
        self.target_host = target_host
        self.turns = threading.BoundedSemaphore(AT_WORK)
        self.reference = reference_files()


class Forward(BaseHTTPRequestHandler):
    """One connection."""

    server: Front
    protocol_version = "HTTP/1.1"
    # Head and body leave in two writes; waiting to merge them costs 40 ms an answer.
    disable_nagle_algorithm = True

    def forward(self) -> None:
        try:
            body = self._read_body()
        except TooLarge:
            self._skip_rest()
            self._answer_with_message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        except BadRequest:
            self.close_connection = True
            self._answer_with_message(HTTPStatus.BAD_REQUEST)
            return
        try:
            with self.server.turns:
                status, headers, answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            self._answer_with_message(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._answer(status, headers, answer)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every other method, known or not: which have a route is for the gateway to say."""
        if name.startswith("do_"):
            return self.forward
        raise AttributeError(name)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/reference":
            self._answer(HTTPStatus.MOVED_PERMANENTLY, [("location", "/reference/")], b"")
        elif file := self.server.reference.get(path):
            self._answer_with_file(file)
        else:
            self.forward()

    def _answer_with_file(self, file: Path) -> None:
        kind = mimetypes.guess_type(file.name)[0] or "text/plain"
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        # Read anew each time, so that `make openapi` shows at once.
        self._answer(HTTPStatus.OK, [("content-type", kind), ("cache-control", "no-cache")], file.read_bytes())

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = self.headers.get("Content-Length")
        if length is None:
            return None
        if not (length.isascii() and length.isdigit()):
            raise BadRequest
        if int(length) > MAXIMUM_BODY:
            raise TooLarge
        return self._read_exactly(int(length))

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            if len(body) + size > MAXIMUM_BODY:
                raise TooLarge
            body += self._read_exactly(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # Trailers.
        return bytes(body)

    def _chunk_size(self) -> int:
        size = self.rfile.readline().split(b";")[0].strip()
        if not CHUNK_SIZE.fullmatch(size):
            raise BadRequest
        return int(size, 16)

    def _read_exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) != length:
            raise BadRequest
        return body

    def _skip_rest(self) -> None:
        """Lets the client finish sending, within reason: only then does it look for the answer."""
        self.close_connection = True
        self.connection.settimeout(SKIP_SECONDS)
        left = SKIP_BYTES
        try:
            while left > 0 and (skipped := self.rfile.read1(65536)):
                left -= len(skipped)
        except TimeoutError:
            pass  # It has nothing more to send.

    def _ask(self, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target_port, timeout=ANSWER_SECONDS)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self.server.target_host)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP | {"host", "content-length", "expect"}:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        bodiless = status in (204, 304)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class does with a request that it cannot read."""
        self.close_connection = True
        self._answer_with_message(HTTPStatus(code))

    def _answer_with_message(self, status: HTTPStatus) -> None:
        """An answer in the form that the gateway has when no function was asked."""
        body = f'{{"message":"{status.phrase}"}}'.encode()
        self._answer(status, [("content-type", "application/json")], body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the functions log."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target-port", type=int, required=True)
    parser.add_argument("--target-host", required=True, help="Host header that names the API")
    arguments = parser.parse_args()
    Front(arguments.port, arguments.target_port, arguments.target_host).serve_forever()


if __name__ == "__main__":
    main()
