"""What every answer says to the browser (1-9, 50), whatever it answers: pages, files, errors."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from werkzeug.test import TestResponse

import web
from tests.web.routes import some
from tests.web.test_access import some_url
from tests.web.world import World
from web import door, headers

TEMPLATES = Path(web.__file__).parent / "templates"
STATIC = TEMPLATES.parent / "static"
HTTPS = "https://smtpy.our.example"
INLINE = re.compile(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)|\|\s*safe\b", re.I)

Build = Callable[..., World]


def answers(world: World) -> Iterator[tuple[int, TestResponse]]:
    """One of each kind, with the status it is to have."""
    owner, nobody = world.as_("owner"), world.as_("anonymous")
    world.app.view_functions["home.dashboard"] = _fail
    yield 200, nobody.get("/auth/sign-in")
    yield 200, nobody.get("/livez")
    yield 200, nobody.get("/static/css/smtpy.css", buffered=True)
    yield 303, nobody.get("/auth/confirm")
    yield 400, nobody.post("/auth/sign-in", data={"email": "ann@people.example"})
    yield 403, nobody.post("/auth/sign-in", headers={"Sec-Fetch-Site": "cross-site"})
    yield 404, owner.get("/nothing")
    yield 404, nobody.get("/static/nothing.css")
    yield 405, owner.post("/livez", headers={"Origin": world.app.extensions["smtpy"].settings.web_origin})
    yield 413, nobody.post("/auth/sign-in", data=b"x" * (web.MAX_BODY + 1), content_type="text/plain")
    yield 500, owner.get("/")
    world.engine.dispose()
    world.lose_database()
    yield 503, owner.get("/auth/confirm")


def _fail() -> str:
    raise RuntimeError("CANARY of a traceback")


def test_1_no_inline_script_style_or_handler_in_any_template() -> None:
    found = [
        f"{path.name}: {hit[0]}" for path in TEMPLATES.rglob("*.html") for hit in INLINE.finditer(path.read_text())
    ]
    assert found == []


def test_1_nothing_is_loaded_from_elsewhere() -> None:
    elsewhere = re.compile(r"(?:src|href|url|import|from)\s*[=(]?\s*[\"']?(?:https?:)?//(?!www\.w3\.org/)[\w.]+")
    files = [*TEMPLATES.rglob("*.html"), *STATIC.rglob("*.css"), *STATIC.rglob("*.js")]
    assert [f"{path.name}: {hit[0]}" for path in files for hit in elsewhere.finditer(path.read_text())] == []


def test_1_to_9_every_kind_of_answer_has_the_headers(build_world: Build) -> None:
    world = build_world(web_origin=HTTPS)
    seen = set()
    for status, answer in answers(_at(world, HTTPS)):
        assert answer.status_code == status, answer.text
        for name, value in headers.HEADERS.items():
            assert answer.headers.get_all(name) == [value], (status, name)
        assert answer.headers["Strict-Transport-Security"] == headers.HSTS
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
        assert "Retry-After" not in answer.headers or status in (429, 503)
        seen.add(status)
    assert seen >= {200, 303, 400, 403, 404, 405, 413, 500, 503}


def test_3_to_6_headers_say_what_was_decided() -> None:
    said = headers.HEADERS
    assert said["X-Content-Type-Options"] == "nosniff"
    assert said["X-Frame-Options"] == "DENY"
    assert said["Referrer-Policy"] == "same-origin"
    assert said["Cross-Origin-Opener-Policy"] == said["Cross-Origin-Resource-Policy"] == "same-origin"
    devices = dict(each.split("=") for each in said["Permissions-Policy"].split(", "))
    ours = {name for name, who in devices.items() if who == "(self)"}
    assert ours == {"publickey-credentials-create", "publickey-credentials-get", "clipboard-write"}
    assert {"camera", "microphone", "geolocation", "payment", "usb"} <= {
        name for name, who in devices.items() if who == "()"
    }


def _at(world: World, origin: str) -> World:
    """The world as browsers reach it by https."""
    world.app.config["PREFERRED_URL_SCHEME"] = "https"
    make = world.app.test_client

    def client(*arguments: object, **named: object) -> object:
        made = make(*arguments, **named)
        made.environ_base |= {"wsgi.url_scheme": "https", "HTTP_HOST": origin.removeprefix("https://")}
        return made

    world.app.test_client = client  # type: ignore[method-assign, assignment]
    return world


def test_2_without_https_there_is_no_promise_of_it(world: World) -> None:
    assert "Strict-Transport-Security" not in world.as_("anonymous").get("/auth/sign-in").headers


def test_7_pages_are_kept_nowhere(world: World) -> None:
    for route in some(write=False):
        for who in ("owner", "admin", "anonymous"):
            answer = world.as_(who).get(some_url(route, world))
            kept = answer.headers["Cache-Control"]
            assert kept == "no-store" or (kept == "no-cache" and answer.mimetype == "text/javascript"), str(route)
            answer.close()


def test_7_static_files_are_kept_for_good_and_named_by_what_they_hold(world: World) -> None:
    page = world.as_("anonymous").get("/auth/sign-in").text
    names = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)
    assert names
    for name in names:
        assert "?v=" in name
        with world.as_("anonymous").get(name) as answer:
            assert "max-age=31536000" in answer.headers["Cache-Control"], name
            assert "Set-Cookie" not in answer.headers


def test_9_the_observatory_would_give_the_best_grade(build_world: Build) -> None:
    world = _at(build_world(web_origin=HTTPS), HTTPS)
    assert observatory(world.as_("owner").get("/")) >= 100


def observatory(answer: TestResponse) -> int:
    """The Mozilla Observatory's rules as far as they apply to a page: 100, less what is missing, plus what is extra."""
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    score = 100
    unsafe = any("unsafe" in sources or "*" in sources or "http:" in sources for sources in policy.values())
    score += -25 if unsafe or policy.get("object-src") != "'none'" else 10 if policy["default-src"] == "'none'" else 5
    for cookie in answer.headers.getlist("Set-Cookie"):
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        score += 0 if {"secure", "httponly"} <= attributes else -40
    score -= 50 if answer.headers.get("Access-Control-Allow-Origin") == "*" else 0
    seconds = re.search(r"max-age=(\d+)", answer.headers.get("Strict-Transport-Security", ""))
    score -= 0 if seconds and int(seconds[1]) >= 15_768_000 else 20
    score += 5 if answer.headers.get("Referrer-Policy") in ("no-referrer", "same-origin", "strict-origin") else 0
    score -= 0 if answer.headers.get("X-Content-Type-Options") == "nosniff" else 5
    score += 5 if policy.get("frame-ancestors") == "'none'" else -20
    score += 10 if answer.headers.get("Cross-Origin-Resource-Policy") in ("same-origin", "same-site") else 0
    sources = re.findall(r'<script[^>]+src="([^"]+)"', answer.text)
    return score - (0 if all(source.startswith("/") and source[:2] != "//" for source in sources) else 50)


def test_50_search_engines_find_nothing(world: World) -> None:
    client = world.as_("anonymous")
    assert "Disallow: /\n" in client.get("/robots.txt").text
    assert '<meta name="robots" content="noindex">' in client.get("/auth/sign-in").text


def test_50_who_finds_a_hole_learns_whom_to_tell(world: World) -> None:
    with world.app.test_request_context():
        postmaster = door.settings().postmaster
    said = world.as_("anonymous").get("/.well-known/security.txt")
    assert said.mimetype == "text/plain"
    fields = dict(line.split(": ", 1) for line in said.text.splitlines())
    assert fields["Contact"] == f"mailto:{postmaster}"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT00:00:00Z", fields["Expires"])


def test_50_password_managers_find_the_place(world: World) -> None:
    answer = world.as_("owner").get("/.well-known/change-password")
    assert answer.status_code == 302
    assert world.as_("owner").get(answer.headers["Location"]).status_code in (200, 303)
