"""What an application does with Authlib."""

import secrets
import textwrap
from pathlib import Path

import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc.jwk import import_key

import person

MANUAL = Path(__file__).parents[5] / "docs" / "application-security.md"


def follow_the_manual(session, issuer, algorithm):
    """Runs the manual's lines for an application with a key, with this issuer and algorithm."""
    example = textwrap.dedent(MANUAL.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0])
    exec(example.replace("https://auth.example.com", issuer).replace("ES256", algorithm), {"session": session})


def open_session(registered, secret):
    return OAuth2Session(
        registered["client_id"],
        secret,
        scope=registered["scope"],
        redirect_uri=next(iter(registered["redirect_uris"]), None),
        code_challenge_method="S256",
        token_endpoint_auth_method=registered["token_endpoint_auth_method"],
        revocation_endpoint_auth_method=registered["token_endpoint_auth_method"],
    )


def sign_in(session, document, registered):
    """Gets tokens for whoever signs in; the claims about them."""
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    url, state = session.create_authorization_url(
        document["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    token = session.fetch_token(
        document["token_endpoint"], authorization_response=person.send(url), code_verifier=verifier, state=state
    )
    return token, person.read_id_token(token["id_token"], document, registered, nonce)


def with_a_secret(document, registered, _key):
    session = open_session(registered, registered["client_secret"])
    token, claims = sign_in(session, document, registered)
    first = session.get(document["userinfo_endpoint"]).json()
    renewed = session.refresh_token(document["token_endpoint"])
    second = session.get(document["userinfo_endpoint"]).json()
    session.revoke_token(document["revocation_endpoint"], renewed["refresh_token"], "refresh_token")
    return {
        "claims": claims,
        "people": [first, second],
        "rotates": renewed["refresh_token"] != token["refresh_token"],
        "withdrawn": session.get(document["userinfo_endpoint"]).status_code,
    }


def with_a_key(document, registered, key):
    session = open_session(registered, import_key(key))
    follow_the_manual(session, document["issuer"], key["alg"])
    token, claims = sign_in(session, document, registered)

    def is_active():
        return session.introspect_token(document["introspection_endpoint"], token["access_token"]).json()["active"]

    before = is_active()
    session.revoke_token(document["revocation_endpoint"], token["refresh_token"], "refresh_token")
    return {"claims": claims, "active": [before, is_active()]}


def for_itself(document, registered, _key):
    session = open_session(registered, registered["client_secret"])
    token = session.fetch_token(document["token_endpoint"], grant_type="client_credentials")
    return {"token": token["access_token"]}


def as_a_device(document, registered, _key):
    session = OAuth2Session(registered["client_id"], scope=registered["scope"], token_endpoint_auth_method="none")
    # The library begins with the code; how a device gets one is left to the application.
    wishes = {"client_id": registered["client_id"], "scope": registered["scope"]}
    begun = requests.post(document["device_authorization_endpoint"], data=wishes, timeout=10).json()
    person.send(begun["verification_uri_complete"])
    session.fetch_token(
        document["token_endpoint"],
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=begun["device_code"],
    )
    return {"person": session.get(document["userinfo_endpoint"]).json()}


FLOWS = {"sign-in": with_a_secret, "key": with_a_key, "itself": for_itself, "device": as_a_device}
