"""The page that takes the token: without script, and with a style of its own."""

from html import escape
from urllib.parse import parse_qs

from radvqa.guarding.asgi import Answer

LONGEST = 4_000
"""Bytes of what the page sends."""

STYLE_PATH = "/login.css"

_STYLE = b"""
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1rem;
  background: light-dark(#f6f7f9, #101215); color: light-dark(#1a1e24, #e6e9ee); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(24rem, 92vw); background: light-dark(#fff, #181b20); border: 1px solid light-dark(#d5dae1, #343a43);
  border-radius: .5rem; padding: 1.5rem; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
p { margin: 0 0 1rem; color: light-dark(#566070, #9aa5b4); }
label { display: block; font-size: .9rem; margin-bottom: .25rem; }
input, button { font: inherit; width: 100%; min-height: 2.75rem; border-radius: .375rem; padding: .4rem .75rem; }
input { color: inherit; background: light-dark(#f6f7f9, #101215); border: 1px solid light-dark(#8a94a3, #5b6573); }
button { margin-top: 1rem; border: 0; cursor: pointer; font-weight: 600;
  background: light-dark(#1d5fbf, #7fb2ff); color: light-dark(#fff, #10151c); }
:focus-visible { outline: 3px solid light-dark(#1d5fbf, #7fb2ff); outline-offset: 2px; }
.error { color: light-dark(#b3261e, #f2837b); }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · radvqa</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="login.css">
</head>
<body>
<main>
<h1>radvqa</h1>
<p>For research only, not for diagnosis.</p>
{problem}<form method="post" action="login">
<label for="token">Token, from whoever runs this service</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button>
</form>
</main>
</body>
</html>
"""


def page(status: int = 200, problem: str = "", *headers: tuple[str, str]) -> Answer:
    """Show the page, with a sentence on what went wrong."""
    said = f'<p class="error" role="alert">{escape(problem)}</p>\n' if problem else ""
    content = _PAGE.format(problem=said).encode()
    return Answer(status, content, "text/html; charset=utf-8", (("cache-control", "no-store"), *headers))


def style() -> Answer:
    """Return its style."""
    return Answer(200, _STYLE, "text/css; charset=utf-8")


def token_in(body: bytes) -> str:
    """Return the token that the page sent; empty when there is none."""
    try:
        return parse_qs(body.decode(), max_num_fields=4).get("token", [""])[0]
    except ValueError:
        return ""
