"""An application in Python: prints where a person has to go, reads where they came back to, prints what it learnt.

Its one argument is a JSON object: which library, which flow, the issuer, and what is registered.
"""

import json
import os
import sys

import requests

import authlib_flows
import requests_oauthlib_flows

# The server under test is on loopback, without TLS.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

FLOWS = {"authlib": authlib_flows.FLOWS, "requests-oauthlib": requests_oauthlib_flows.FLOWS}


def main():
    asked = json.loads(sys.argv[1])
    document = requests.get(asked["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
    learnt = FLOWS[asked["library"]][asked["flow"]](document, asked["registered"], asked.get("key"))
    print(json.dumps(learnt), flush=True)


main()
