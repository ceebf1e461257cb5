"""A form that was open while its session ended is not lost; nothing secret and nothing from elsewhere comes back."""

from collections.abc import Callable

from tests.web.forms import forms
from tests.web.world import World

Build = Callable[..., World]
OURS = {"Sec-Fetch-Site": "same-origin"}
TYPED = 'what took "ten minutes" to write'


def opened(world: World) -> tuple[str, dict[str, str]]:
    """A form of the owner's, filled in."""
    where = f"/aliases/{world.things['alias']}/settings"
    (form,) = (each for each in forms(world.as_("owner").get(where).text) if "note" in each.fields)
    return where, form.fields | {"note": TYPED}


def test_what_was_typed_outlives_the_session(build_world: Build) -> None:
    world = build_world()
    where, fields = opened(world)
    referred = OURS | {"Referer": f"http://localhost{where}"}
    signed_out = world.as_("anonymous").post(where, data=fields, headers=referred)
    assert signed_out.status_code == 400
    assert f'href="/auth/sign-in?next={where}"' in signed_out.text.replace("%2F", "/")
    (kept,) = (each for each in forms(signed_out.text) if "note" in each.fields)
    assert kept.action == where
    assert "csrf_token" not in kept.fields  # strangers leave no rows, so there is no session to bind one to

    again = world.as_("owner")  # who has signed in meanwhile, in another tab
    answer = again.post(kept.action, data=kept.fields, headers=OURS)
    assert answer.status_code == 400
    assert TYPED not in again.get(where).text.replace("&#34;", '"')  # nothing was done yet
    (kept,) = (each for each in forms(answer.text) if "note" in each.fields)
    assert again.post(kept.action, data=kept.fields, headers=OURS).status_code == 303
    assert TYPED in again.get(where).text.replace("&#34;", '"')


def test_a_button_pressed_after_the_session_asks_to_sign_in(build_world: Build) -> None:
    answer = build_world().as_("anonymous").post("/auth/sign-out", headers=OURS)
    assert answer.status_code == 400
    assert "You were signed out" in answer.text
    assert "/auth/sign-in" in answer.text


def test_words_from_elsewhere_are_not_given_back(build_world: Build) -> None:
    world = build_world()
    where, fields = opened(world)
    for said in ({}, {"Sec-Fetch-Site": "none"}):
        for who in ("anonymous", "owner"):
            answer = world.as_(who).post(where, data=fields | {"csrf_token": "forged"}, headers=said)
            assert answer.status_code == 400
            assert "ten minutes" not in answer.text


def test_secrets_are_not_given_back(build_world: Build) -> None:
    world = build_world()
    for where, field in (("/auth/sign-in", "password"), ("/settings/security/password", "password")):
        answer = world.as_("owner").post(where, data={field: "CANARY in a form", "note": "x"}, headers=OURS)
        assert answer.status_code == 400
        assert "CANARY" not in answer.text
