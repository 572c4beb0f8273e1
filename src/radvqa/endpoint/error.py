"""What a user sees when a language model cannot be asked."""

from radvqa.errors import RadvqaError


class EndpointError(RadvqaError):
    """An address that cannot be used, or a server that does not answer; says which, what happened and what to do."""
