"""``radvqa serve``: the page and the service, until they are stopped."""

from contextlib import closing
from dataclasses import replace

from radvqa.commands.listening import SHORTEST_SECRET, is_loopback, listen, names, written
from radvqa.errors import RadvqaError
from radvqa.serving.settings import Settings

PER_MINUTE = 1200
"""Requests of one address in a minute, where other machines reach the service and nobody set another number."""

_PATIENCE = 30  # seconds for what is running when the service is stopped


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serve until stopped; what is running then is finished.

    Args:
        settings: of the service.
        host: address to listen at.
        port: to listen at; 0 takes a free one.

    Raises:
        RadvqaError: when a library is missing, the address is taken, a model cannot be offered, or an address beyond
            the loopback comes without a token.
    """
    try:
        import uvicorn

        from radvqa.serving.app import application
        from radvqa.serving.service import Service
    except ImportError:
        raise RadvqaError("The service needs fastapi and uvicorn: pip install 'radvqa[serve]'.") from None
    if not is_loopback(host):
        settings = beyond(settings, host)
    listening = listen(host, port)
    with closing(listening):
        service = Service.open(settings)
        print(f"radvqa at http://{written(host)}:{listening.getsockname()[1]}/ (Ctrl+C ends)", flush=True)
        config = uvicorn.Config(
            application(service),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        uvicorn.Server(config).run(sockets=[listening])


def beyond(settings: Settings, host: str) -> Settings:
    """What must hold where other machines reach the service: a token, its names, and a limit of requests.

    Raises:
        RadvqaError: when there is no token, or a short one.
    """
    if len(settings.token) < SHORTEST_SECRET:
        raise RadvqaError(
            f"{host} can be reached from other machines: set a secret of at least {SHORTEST_SECRET} letters with "
            f"RADVQA_SERVE_TOKEN or --token-file, or leave --host at 127.0.0.1."
        )
    limits = replace(settings.limits, per_minute=settings.limits.per_minute or PER_MINUTE)
    return replace(settings, hosts=(*settings.hosts, *names(host)), limits=limits)
