"""People who can sign in: accounts, and how they prove who they are."""

from holdfast.domain.accounts.sessions import (
    BROWSER_IDLE,
    BROWSER_LONGEST,
    SEEN_EVERY,
    TOKENS_LONGEST,
    Session,
    SessionKind,
    browse_sessions,
    browser_session,
    end_session,
    end_sessions,
    expiry_of,
    forget_sessions,
    open_session,
    session,
    sessions_of,
    touch_session,
)

__all__ = [
    "BROWSER_IDLE",
    "BROWSER_LONGEST",
    "SEEN_EVERY",
    "TOKENS_LONGEST",
    "Session",
    "SessionKind",
    "browse_sessions",
    "browser_session",
    "end_session",
    "end_sessions",
    "expiry_of",
    "forget_sessions",
    "open_session",
    "session",
    "sessions_of",
    "touch_session",
]
