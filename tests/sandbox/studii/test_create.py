"""Studii API docs: Authentication, Create a job, Tool slugs, Errors, Spend caps."""

from uuid import uuid4

import pytest

from sandbox.studii import Key
from tests.sandbox.studii.client import STUDIO, Client


async def test_a_job_is_taken_with_the_four_fields_of_the_documentation(api: Client, key: Key) -> None:
    created = await api.create(key)
    assert created.status == 202
    assert created.body == {
        "id": created.text("id"),
        "status": "queued",
        "status_url": f"{api.server.url}/jobs/{created.text('id')}",
        "credits_charged": 8,
    }
    assert key.balance == 992
    assert key.spent == 8


async def test_a_key_may_come_as_a_bearer_token_or_as_x_api_key(api: Client, key: Key) -> None:
    path = f"/jobs/{uuid4()}"
    assert (await api.send("GET", path, key)).status == 404
    assert (await api.send("GET", path, None, **{"x-api-key": key.secret})).status == 404


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer nonsense"}, {"x-api-key": "stu_unknown"}],
)
async def test_a_missing_malformed_or_unknown_key_is_401(api: Client, headers: dict[str, str]) -> None:
    refused = await api.send("POST", "/jobs", None, {}, **headers)
    assert refused.status == 401
    assert refused.text("error")


async def test_a_revoked_key_is_401(api: Client, key: Key) -> None:
    key.revoke()
    assert (await api.create(key)).status == 401


async def test_a_plan_without_the_api_or_the_tool_is_403(api: Client) -> None:
    starter, limited = api.server.add_key("starter"), api.server.add_key(tools={"photo-restore"})
    assert (await api.create(starter)).status == 403
    assert (await api.create(limited)).status == 403
    assert limited.spent == 0


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({**STUDIO, "prompt": ""}, "prompt"),
        ({**STUDIO, "mode": "song"}, "mode"),
        ({**STUDIO, "quality": "best"}, "quality"),
        ({**STUDIO, "aspect_ratio": "5:1"}, "aspect_ratio"),
        ({**STUDIO, "source": "image"}, "source_object_key"),
        ({**STUDIO, "steps": "40"}, "steps"),
        ({**STUDIO, "prompt": 7}, "prompt"),
        ([], "inputs"),
        (None, "inputs"),
    ],
)
async def test_wrong_inputs_are_400_and_named(api: Client, key: Key, inputs: object, named: str) -> None:
    refused = await api.create(key, inputs=inputs)
    assert refused.status == 400
    assert named in refused.text("error")
    assert key.spent == 0


@pytest.mark.parametrize("tool", ["virtual-staging", "photo-restore", "product-background", "career-photo"])
async def test_photo_tools_need_a_source(api: Client, key: Key, tool: str) -> None:
    refused = await api.create(key, tool, {})
    assert refused.status == 400
    assert "source_object_key" in refused.text("error")


async def test_an_unknown_tool_and_a_body_that_is_no_json_are_400(api: Client, key: Key) -> None:
    assert (await api.create(key, "upscale")).status == 400
    headers = {"Authorization": f"Bearer {key.secret}", "Content-Type": "application/json"}
    async with api.http.post(f"{api.server.url}/jobs", data=b"{", headers=headers) as got:
        assert got.status == 400


async def test_no_credits_and_a_reached_cap_are_402_in_different_words(api: Client) -> None:
    poor, capped = api.server.add_key(balance=7), api.server.add_key(cap=15)
    out_of_credits = await api.create(poor)
    assert (await api.create(capped)).status == 202
    over_cap = await api.create(capped)
    assert (out_of_credits.status, over_cap.status) == (402, 402)
    assert out_of_credits.text("error") != over_cap.text("error")
    assert (poor.balance, capped.spent) == (7, 8)


async def test_keys_of_one_account_share_its_balance_and_jobs(api: Client, key: Key) -> None:
    other = api.server.add_key(account=key.account)
    stranger = api.server.add_key()
    created = await api.create(key)
    assert (other.balance, other.spent) == (992, 0)
    assert (await api.status(other, created)).status == 200
    assert (await api.status(stranger, created)).status == 404
