"""What a seat may be (the rules of the Seats API)."""

from __future__ import annotations

import ipaddress
import os
import re
import unicodedata
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

PLATFORMS = os.environ["PLATFORMS"].split(",")
FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\u2028\u2029\U000e0000-\U000e007f\ufdd0-\ufdef\ufffe\uffff]"
)
DETAILS = ("platform", "username", "pfp_url", "keywords")


def tidy(value: object) -> object:
    return unicodedata.normalize("NFC", value.strip()) if isinstance(value, str) else value


def harmless(text: str) -> str:
    if FORBIDDEN.search(text):
        raise ValueError("forbidden_character")
    return text


def harmless_lines(text: str) -> str:
    harmless(text.replace("\n", "").replace("\t", ""))
    return text


def web_url(text: str) -> str:
    harmless(text)
    url = urlsplit(text)
    if url.scheme.lower() not in ("http", "https") or not url.hostname or url.username or url.password:
        raise ValueError("url")
    try:
        private = not ipaddress.ip_address(url.hostname).is_global
    except ValueError:
        private = False
    if private:
        raise ValueError("url_host")
    return text


def as_keywords(text: str) -> str:
    parts = [str(tidy(part)) for part in text.split(",")]
    if len(parts) > 50 or not all(1 <= len(harmless(part)) <= 64 for part in parts):
        raise ValueError("keywords")
    return ",".join(parts)


def as_age_range(text: str) -> str:
    match = re.fullmatch(r"(\d{1,3})-(\d{1,3})", text, re.ASCII)
    if not match or not int(match[1]) <= int(match[2]) <= 120:
        raise ValueError("age_range")
    return text


def known_platform(text: str) -> str:
    if text not in PLATFORMS:
        raise ValueError("one_of")
    return text


def without_at(value: object) -> object:
    return value.strip().removeprefix("@") if isinstance(value, str) else value


Tidy = BeforeValidator(tidy)
Line64 = Annotated[str, Tidy, Field(min_length=1, max_length=64), AfterValidator(harmless)]
Line128 = Annotated[str, Tidy, Field(min_length=1, max_length=128), AfterValidator(harmless)]
Lines1000 = Annotated[str, Tidy, Field(min_length=1, max_length=1000), AfterValidator(harmless_lines)]


class Seat(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tier: Annotated[Literal["basic", "premium"], Tidy]
    platform: Annotated[str, Tidy, AfterValidator(known_platform)] | None = None
    username: Annotated[str, BeforeValidator(without_at), Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    pfp_url: Annotated[str, Tidy, Field(max_length=2048), AfterValidator(web_url)] | None = None
    keywords: Annotated[str, AfterValidator(as_keywords)] | None = None
    nick_name: Line64 | None = None
    age_range: Annotated[str, Tidy, AfterValidator(as_age_range)] | None = None
    sex: Annotated[Literal["male", "female", "other"], Tidy] | None = None
    location: Line128 | None = None
    description: Lines1000 | None = None
    tag: Line64 | None = None
    org_group: Line64 | None = None

    @model_validator(mode="after")
    def whole_group(self) -> Seat:
        missing = [field for field in DETAILS if getattr(self, field) is None]
        if 0 < len(missing) < len(DETAILS):
            raise ValueError(f"required_in_group: {', '.join(missing)}")
        return self


class CreateSeats(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    accounts: Annotated[list[Seat], Field(min_length=1, max_length=1000)]
    quote_id: str | None = None

    @model_validator(mode="after")
    def each_once(self) -> CreateSeats:
        names = [(seat.platform, seat.username.lower()) for seat in self.accounts if seat.platform and seat.username]
        if len(set(names)) < len(names):
            raise ValueError("duplicate")
        return self
