"""Methods that read attention: what was looked at, and what that came to at the answer."""
