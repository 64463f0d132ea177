"""OAuth 2.0 and OpenID Connect over HTTP.

Clients are spoken to as the standards say: what is refused is refused in the words of
RFC 6749 5.2, not in problem documents.
"""
