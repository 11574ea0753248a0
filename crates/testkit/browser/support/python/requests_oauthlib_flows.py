"""What an application does with requests-oauthlib."""

import secrets

import requests
from oauthlib.oauth2 import BackendApplicationClient, DeviceClient, WebApplicationClient
from requests_oauthlib import OAuth2Session

import person


def with_a_secret(document, registered, _key):
    nonce = secrets.token_urlsafe(16)
    own, secret = registered["client_id"], registered["client_secret"]
    client = WebApplicationClient(own)
    scope, redirect_uri = registered["scope"].split(), registered["redirect_uris"][0]
    session = OAuth2Session(client=client, scope=scope, redirect_uri=redirect_uri, pkce="S256")
    url, _ = session.authorization_url(document["authorization_endpoint"], nonce=nonce)
    token = session.fetch_token(
        document["token_endpoint"], authorization_response=person.send(url), client_secret=secret
    )
    claims = person.read_id_token(token["id_token"], document, registered, nonce)
    first = session.get(document["userinfo_endpoint"]).json()
    renewed = session.refresh_token(document["token_endpoint"], auth=(own, secret))
    second = session.get(document["userinfo_endpoint"]).json()
    # The session has no method for it; the client beneath it has.
    url, headers, body = client.prepare_token_revocation_request(
        document["revocation_endpoint"], renewed["refresh_token"], "refresh_token"
    )
    session.post(url, data=body, headers=headers, auth=(own, secret), withhold_token=True).raise_for_status()
    return {
        "claims": claims,
        "people": [first, second],
        "rotates": renewed["refresh_token"] != token["refresh_token"],
        "withdrawn": session.get(document["userinfo_endpoint"]).status_code,
    }


def for_itself(document, registered, _key):
    session = OAuth2Session(client=BackendApplicationClient(registered["client_id"]), scope=registered["scope"].split())
    token = session.fetch_token(document["token_endpoint"], auth=(registered["client_id"], registered["client_secret"]))
    return {"token": token["access_token"]}


def as_a_device(document, registered, _key):
    session = OAuth2Session(client=DeviceClient(registered["client_id"]), scope=registered["scope"].split())
    # How a device gets its code is left to the application.
    wishes = {"client_id": registered["client_id"], "scope": registered["scope"]}
    begun = requests.post(document["device_authorization_endpoint"], data=wishes, timeout=10).json()
    person.send(begun["verification_uri_complete"])
    session.fetch_token(document["token_endpoint"], device_code=begun["device_code"], include_client_id=True)
    return {"person": session.get(document["userinfo_endpoint"]).json()}


FLOWS = {"sign-in": with_a_secret, "itself": for_itself, "device": as_a_device}
