"""An application in Python: prints where a person has to go, reads where they came back to, prints what it learnt.

Its one argument is a JSON object: which library, and what is registered.
"""

import json
import os
import secrets
import sys

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

# The server under test is on loopback, without TLS.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def tell(value):
    print(json.dumps(value), flush=True)


def read_id_token(text, document, registered, nonce):
    """The claims of an ID token, checked as OpenID Connect Core 3.1.3.7 says."""
    keys = KeySet.import_key_set(requests.get(document["jwks_uri"], timeout=10).json())
    token = jwt.decode(text, keys, algorithms=[registered["id_token_signed_response_alg"]])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": document["issuer"]},
        aud={"essential": True, "value": registered["client_id"]},
        exp={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    rules.validate(token.claims)
    return token.claims


def with_authlib(document, registered):
    from authlib.integrations.requests_client import OAuth2Session

    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    session = OAuth2Session(
        registered["client_id"],
        registered["client_secret"],
        scope=registered["scope"],
        redirect_uri=registered["redirect_uris"][0],
        code_challenge_method="S256",
        token_endpoint_auth_method=registered["token_endpoint_auth_method"],
    )
    url, state = session.create_authorization_url(
        document["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    tell({"url": url})
    arrived = sys.stdin.readline().strip()
    token = session.fetch_token(
        document["token_endpoint"], authorization_response=arrived, code_verifier=verifier, state=state
    )
    claims = read_id_token(token["id_token"], document, registered, nonce)
    first = session.get(document["userinfo_endpoint"]).json()
    renewed = session.refresh_token(document["token_endpoint"])
    second = session.get(document["userinfo_endpoint"]).json()
    tell({"claims": claims, "people": [first, second], "rotates": renewed["refresh_token"] != token["refresh_token"]})


def with_requests_oauthlib(document, registered):
    from requests_oauthlib import OAuth2Session

    nonce = secrets.token_urlsafe(16)
    session = OAuth2Session(
        registered["client_id"],
        scope=registered["scope"].split(),
        redirect_uri=registered["redirect_uris"][0],
        pkce="S256",
    )
    url, _ = session.authorization_url(document["authorization_endpoint"], nonce=nonce)
    tell({"url": url})
    arrived = sys.stdin.readline().strip()
    secret = registered["client_secret"]
    token = session.fetch_token(document["token_endpoint"], authorization_response=arrived, client_secret=secret)
    claims = read_id_token(token["id_token"], document, registered, nonce)
    first = session.get(document["userinfo_endpoint"]).json()
    renewed = session.refresh_token(document["token_endpoint"], auth=(registered["client_id"], secret))
    second = session.get(document["userinfo_endpoint"]).json()
    tell({"claims": claims, "people": [first, second], "rotates": renewed["refresh_token"] != token["refresh_token"]})


def main():
    asked = json.loads(sys.argv[1])
    document = requests.get(asked["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
    libraries = {"authlib": with_authlib, "requests-oauthlib": with_requests_oauthlib}
    libraries[asked["library"]](document, asked["registered"])


main()
