"""Who may ask, and what every answer says to the browser that shows it. ASGI middleware around the whole application.

1. The Host header is this machine's own name and the port that is served; any other may be a name that was bound to this
   address later on (DNS rebinding).
2. GET and HEAD, and no others.
3. Another site's page may lead here by a link, and may load nothing from here.
4. Pages run no script, load nothing but the style sheet from here, and tell nobody where the reader came from.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], port: int) -> None:
        self.app = app
        names = ("127.0.0.1", "localhost", "[::1]")
        self.hosts = {f"{name}:{port}" for name in names} | ({*names} if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                named = {name for name, _ in message.get("headers", ())}
                more = [
                    (name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in named
                ]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        refused = self._refused(scope)
        if refused is None:
            await self.app(scope, receive, guarded)
            return
        status, seen, wanted = refused
        is_json = scope["path"].endswith(".json")
        said = json.dumps({"error": seen, "wanted": wanted}) if is_json else f"{seen}\nwanted: {wanted}\n"
        body = said.encode()
        kind = b"application/json" if is_json else b"text/plain; charset=utf-8"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await guarded({"type": "http.response.start", "status": status, "headers": headers})
        await guarded({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _refused(self, scope: Scope) -> tuple[int, str, str] | None:
        """Status, what was seen, what is wanted; None where the request may pass."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = headers.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 400, "the request is for another host", f"Host: {sorted(self.hosts)[0]}"
        if scope["method"] not in ("GET", "HEAD"):
            return 405, f"the method is {scope['method'][:20]}", "GET or HEAD"
        site, mode = headers.get("sec-fetch-site", ["none"])[0], headers.get("sec-fetch-mode", ["navigate"])[0]
        if site == "cross-site" and mode != "navigate":
            return 403, "another site asks for this to load it into its own page", "a link that a person follows"
        return None
