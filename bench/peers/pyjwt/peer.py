"""FastAPI with PyJWT, for comparison on the same core.

python peer.py PORT ISSUER AUDIENCE   answers the claims of a token at /whoami

As their documentation shows it: keys are fetched once and kept, every token is verified.
"""

import sys
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

port, issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(f"{issuer}/keys", cache_keys=True, lifespan=3600)
app = FastAPI()
bearer = HTTPBearer(auto_error=False)


async def claims(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> dict:
    if credentials is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    try:
        key = keys.get_signing_key_from_jwt(credentials.credentials)
        return jwt.decode(credentials.credentials, key, algorithms=["ES256"], audience=audience, issuer=issuer)
    except jwt.PyJWTError:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


@app.get("/whoami")
async def whoami(who: Annotated[dict, Depends(claims)]) -> dict:
    return who


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
