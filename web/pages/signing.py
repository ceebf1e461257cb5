"""Signing in and out."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from web.auth import public, signed_in

pages = Blueprint("signing", __name__)


@pages.get("/auth/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Who are you?"""
    return render_template("signing/sign_in.html")


@pages.get("/auth/confirm")
@signed_in
def confirm() -> ResponseReturnValue:
    """Is it still you?"""
    return render_template("signing/sign_in.html")
