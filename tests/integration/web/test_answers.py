"""Headers, errors and static files: what every answer has in common."""

import pytest

from shared.security.access import Access
from shared.security.roles import Role
from shared.web.security_headers import CSP
from shared.web.static import static_url
from tests.support.visitors import Visitor, settle

JSON = "application/json"

EVERY_STATUS = [
    pytest.param("GET", "/signin", 200, id="200"),
    pytest.param("GET", "/", 303, id="303"),
    pytest.param("GET", "/v1/scores", 401, id="401"),
    pytest.param("POST", "/signin", 403, id="403"),
    pytest.param("GET", "/nowhere", 404, id="404"),
    pytest.param("DELETE", "/signin", 405, id="405"),
    pytest.param("GET", "/setup/none", 410, id="410"),
    pytest.param("POST", "/v1/orders", 422, id="422"),
    pytest.param("GET", "/zero", 422, id="422 of the database"),
    pytest.param("GET", "/busy", 429, id="429"),
    pytest.param("GET", "/broken", 500, id="500"),
    pytest.param("GET", "/wrong-statement", 500, id="500 of the database"),
    pytest.param("GET", "/away", 503, id="503"),
    pytest.param("GET", "/torn", 503, id="503 in mid-work"),
]


@pytest.mark.parametrize("accept", ["text/html", JSON])
@pytest.mark.parametrize(("method", "path", "status"), EVERY_STATUS)
async def test_every_status_carries_the_security_headers(
    visitor: Visitor, method: str, path: str, status: int, accept: str
) -> None:
    response = await visitor.client.request(method, path, headers={"accept": accept})
    assert response.status_code == status
    assert response.headers["content-security-policy"] == CSP
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "status"), [p for p in EVERY_STATUS if p.id not in {"200", "303"}]
)
async def test_a_program_gets_a_problem_that_says_what_to_do(
    visitor: Visitor, method: str, path: str, status: int
) -> None:
    response = await visitor.client.request(method, path, headers={"accept": JSON})
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["what_to_do"].endswith(".")


async def test_a_person_gets_a_page(visitor: Visitor) -> None:
    page = await visitor.get("/nowhere", **{"accept-language": "sv-SE,sv;q=0.9"})
    assert page.headers["content-type"].startswith("text/html")
    assert '<html lang="sv">' in page.text
    assert "Sidan finns inte" in page.text


async def test_the_error_page_of_somebody_signed_in_keeps_the_navigation(
    visitor: Visitor, access: Access
) -> None:
    await settle(access, Role.REP)
    await visitor.sign_in(Role.REP)
    page = await visitor.get("/nowhere")
    assert "<nav" in page.text
    assert 'href="/"' in page.text


async def test_wrong_fields_are_named_and_not_quoted(visitor: Visitor) -> None:
    body = {"email": {"secret": "ana@example.com"}, "amount": "much"}
    response = await visitor.client.post("/v1/orders", json=body)
    assert response.status_code == 422
    assert [entry["field"] for entry in response.json()["errors"]] == ["email", "amount"]
    assert response.json()["field"] == "email"
    assert "ana@example.com" not in response.text
    assert "much" not in response.text


@pytest.mark.parametrize("accept", ["text/html", JSON])
async def test_a_bug_tells_nothing_of_the_inside(visitor: Visitor, accept: str) -> None:
    response = await visitor.get("/broken", accept=accept)
    assert response.status_code == 500
    assert "ana@example.com" not in response.text
    assert "RuntimeError" not in response.text


async def test_a_lost_database_asks_to_come_back(visitor: Visitor) -> None:
    page = await visitor.get("/away")
    assert page.headers["retry-after"] == "10"
    assert '<meta http-equiv="refresh" content="10">' in page.text
    program = await visitor.get("/away", accept=JSON)
    assert program.json()["retry_after"] == 10
    assert "ConnectionRefused" not in program.text


async def test_the_wait_of_a_problem_is_a_header_too(visitor: Visitor) -> None:
    assert (await visitor.get("/busy")).headers["retry-after"] == "60"


async def test_a_page_names_a_style_sheet_that_may_be_kept_for_ever(visitor: Visitor) -> None:
    assert static_url("afterword.css") in (await visitor.get("/signin")).text
    css = await visitor.get(static_url("afterword.css"))
    assert css.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in css.headers["cache-control"]
    again = await visitor.get("/static/afterword.css", **{"if-none-match": css.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_style_sheet_without_its_version_is_asked_for_each_time(visitor: Visitor) -> None:
    for path in ("/static/afterword.css", "/static/afterword.css?v=old"):
        assert (await visitor.get(path)).headers["cache-control"] == "public, no-cache"


async def test_a_style_sheet_travels_packed_to_whoever_can_unpack_it(visitor: Visitor) -> None:
    address = static_url("afterword.css")
    plain = await visitor.get(address, **{"accept-encoding": "identity"})
    packed = await visitor.get(address, **{"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize("name", ["..%2fapp.py", "%2e%2e/app.py", "none.css", "README.md", "a%00b"])
async def test_only_the_static_files_are_served(visitor: Visitor, name: str) -> None:
    assert (await visitor.get(f"/static/{name}")).status_code == 404
