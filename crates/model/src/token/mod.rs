//! Access tokens as text and claims (RFC 7515, RFC 7519, RFC 9068): strict reading without any key.
