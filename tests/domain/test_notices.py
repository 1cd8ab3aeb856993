"""Each kind of notice says who gets it."""

import pytest

from bot.servers.notices import Addressee, NoticeKind


@pytest.mark.parametrize("kind", NoticeKind)
def test_each_kind_of_notice_has_an_addressee(kind: NoticeKind) -> None:
    assert kind.addressee in Addressee
