"""What never stands in the log, whoever writes it."""

import pytest

from bot.logs import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the key stu_0123456789 was sent", "the key stu_… was sent"),
        ("{'Authorization': 'Bearer abc.def'}", "{'Authorization': 'stu_…'}"),
        ("url='http://maya:p%40ss@proxy:3128'", "url='http://…@proxy:3128'"),
        ("postgresql+asyncpg://bot:word@db/studii", "postgresql+asyncpg://…@db/studii"),
        ("{'Proxy-Authorization': 'Basic bWF5YTpwQHNz'}", "{'Proxy-Authorization': 'Basic …'}"),
        ("https://studii.tech/@maya, a Basic plan", "https://studii.tech/@maya, a Basic plan"),
    ],
)
def test_keys_and_passwords_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
