"""A real OpenID provider (Canaille), with a few people and the dashboard as its client; run in its own environment.

``python provider.py PORT REDIRECT_URI < people.json`` serves it on this computer. It knows the people as
``{"people": {name: full name}, "addresses": {name: address}, "unverified": [name, ...], "password": ..., "client_id":
..., "client_secret": ...}``; each signs in with their name, has the address name@example.com unless another is given,
and has not consented yet to the dashboard knowing it.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets
import sys
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey

HOST = "localhost"


class Server(ThreadingMixIn, WSGIServer):
    """Answers a browser and the dashboard at the same time."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Writes nothing of every request."""

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


def main(port: int, redirect_uri: str) -> None:
    """Serve until the process is ended."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http is good enough on this computer
    known = json.load(sys.stdin)
    app = create_app(config=configuration(port))
    app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"] |= claims(known)  # its own settings know no such claim
    with app.app_context():
        for row in rows(known, redirect_uri):
            Backend.instance.save(row)
    make_server(HOST, port, app, server_class=Server, handler_class=Quiet).serve_forever()


def configuration(port: int) -> dict[str, object]:
    """Return what Canaille needs to know: everything in memory, keys for this run alone."""
    key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
    permissions = {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}}
    return {
        "SECRET_KEY": secrets.token_hex(),
        "SERVER_NAME": f"{HOST}:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "ENV_FILE": None,
        "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "ACL": permissions},
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
    }


def claims(known: dict[str, Any]) -> dict[str, str]:
    """Return the templates of what the tokens say of an address."""
    addresses, unverified = json.dumps(known["addresses"]), json.dumps(known["unverified"])
    return {
        "EMAIL": f"{{{{ {addresses}.get(user.user_name, user.preferred_email) }}}}",
        "EMAIL_VERIFIED": f"{{% if user.user_name not in {unverified} %}}true{{% endif %}}",
    }


def rows(known: dict[str, Any], redirect_uri: str) -> Iterator[Any]:
    """Yield the people and the client."""
    for name, full_name in known["people"].items():
        yield models.User(
            user_name=name,
            formatted_name=full_name,
            family_name=full_name.split()[-1],
            emails=[f"{name}@example.com"],
            password=known["password"],
        )
    client = models.Client(
        client_id=known["client_id"],
        client_secret=known["client_secret"],
        client_id_issued_at=datetime.datetime.now(datetime.UTC),
        client_name="Dashboard",
        redirect_uris=[redirect_uri],
        post_logout_redirect_uris=[redirect_uri],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "profile"],
        token_endpoint_auth_method="client_secret_basic",
    )
    yield client
    client.audience = [client]  # who its tokens are for, once it is known
    yield client


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
