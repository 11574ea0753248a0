"""The person in front of the browser, and what an application is told about them."""

import json
import sys

import requests
from joserfc import jwt
from joserfc.jwk import KeySet


def send(url):
    """Leads the person to an address; where they came back to."""
    print(json.dumps({"url": url}), flush=True)
    return sys.stdin.readline().strip()


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
