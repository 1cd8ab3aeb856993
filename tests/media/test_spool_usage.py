"""The spool's room is shared: nobody fills it, and nobody new finds it full because of one server."""

from hypothesis import given, strategies as st

from bot.media.spool import FOR_OUTPUTS, HELD_TOGETHER, Evictable, SpoolUsage, to_evict

MAX = 2000
PHOTOS = int(MAX * (1 - FOR_OUTPUTS))
SIZE = st.integers(1, 25)
WANTED = st.lists(st.tuples(st.integers(1, 6), SIZE), max_size=300)


def fill(book: SpoolUsage, guild_id: int, size: int = 25, *, held: bool = False) -> int:
    """Keep as many photos as the server may; returns their bytes."""
    number = 0
    while not book.lacking_for_source((guild_id, number), guild_id, size, held=held):
        book.put((guild_id, number), guild_id, size)
        number += 1
    return number * size


def test_a_server_alone_gets_half_of_the_room_and_the_next_ones_get_their_share() -> None:
    book = SpoolUsage(MAX)
    shares = [fill(book, guild_id) for guild_id in range(1, 5)]
    assert shares == [800, 400, 200, 100]


def test_a_server_whose_key_is_refused_gets_a_fifth() -> None:
    assert fill(SpoolUsage(MAX), 1, held=True) == 300


def test_a_share_grows_again_when_the_others_files_are_gone() -> None:
    book = SpoolUsage(MAX)
    for guild_id in (1, 2):
        fill(book, guild_id)
    assert book.lacking_for_source("more", 2, 25, held=False)
    for number in range(50):
        book.drop((1, number))
    assert not book.lacking_for_source("more", 2, 25, held=False)


@given(WANTED)
def test_photos_never_take_the_room_of_outputs_and_nothing_exceeds_the_bound(
    wanted: list[tuple[int, int]],
) -> None:
    book = SpoolUsage(MAX // 4)
    for number, (guild_id, size) in enumerate(wanted):
        if not book.lacking_for_source(number, guild_id, size, held=False):
            book.put(number, guild_id, size)
        assert book.used <= book.max_bytes * (1 - FOR_OUTPUTS)
    sizes = [book.size(claim) for claim in book.claims]
    assert book.used == sum(sizes)


@given(st.integers(1, 5), SIZE)
def test_however_greedy_others_are_a_server_without_files_has_room_for_a_photo(
    greedy: int, size: int
) -> None:
    book = SpoolUsage(MAX)
    for guild_id in range(greedy):
        fill(book, guild_id, 1)
    assert not book.lacking_for_source("new", 99, size, held=False)


@given(WANTED, st.integers(1, 6), SIZE, st.booleans())
def test_what_is_lacking_is_enough_when_others_give_it(
    there: list[tuple[int, int]], guild_id: int, size: int, held: bool
) -> None:
    book = SpoolUsage(MAX // 4)
    for number, (server, bytes_) in enumerate(there):
        book.put(number, server, bytes_)
    lacking = book.lacking_for_source("new", guild_id, size, held=held)
    others = sum(bytes_ for server, bytes_ in there if server != guild_id)
    if 0 < lacking <= others:
        for number, (server, bytes_) in enumerate(there):
            if server != guild_id and lacking > 0:
                book.drop(number)
                lacking -= bytes_
        assert not book.lacking_for_source("new", guild_id, size, held=held)


@given(st.lists(st.tuples(st.integers(1, 4), SIZE), max_size=30), st.integers(1, 200))
def test_held_photos_give_way_only_if_that_helps_and_no_more_than_needed(
    photos: list[tuple[int, int]], lacking: int
) -> None:
    held = [Evictable(str(number), guild_id, size) for number, (guild_id, size) in enumerate(photos)]
    giving = to_evict(held[::-1], lacking)
    freed = sum(photo.size for photo in giving)
    if sum(photo.size for photo in held) < lacking:
        assert giving == []
    else:
        assert freed >= lacking
        assert freed - giving[-1].size < lacking
    for guild_id in {photo.guild_id for photo in giving}:
        own = [photo for photo in held if photo.guild_id == guild_id]
        mine = [photo for photo in giving if photo.guild_id == guild_id]
        assert mine == own[::-1][: len(mine)]  # the newest go first


def test_the_server_that_has_most_gives_first() -> None:
    held = [Evictable("a", 1, 10), Evictable("b", 2, 10), Evictable("c", 2, 10)]
    assert [photo.job_id for photo in to_evict(held[::-1], 5)] == ["c"]


def test_outputs_reserve_their_room_together() -> None:
    book = SpoolUsage(MAX)
    for number in range(4):
        assert not book.lacking_for_output(number, 500)
        book.put(number, number, 500)
    assert book.lacking_for_output("one more", 500) == 500
    book.resize(0, 20)  # what was not needed is given back
    assert book.lacking_for_output("one more", 500) == 20
    assert book.left_for_output("one more") == 480


def test_fifty_servers_whose_keys_are_refused_leave_room_for_a_healthy_one() -> None:
    book = SpoolUsage(MAX)
    for guild_id in range(50):
        number = 0
        while not book.lacking_for_source(
            (guild_id, number), guild_id, 5, held=True, held_together=book.used
        ):
            book.put((guild_id, number), guild_id, 5)
            number += 1
    assert book.used <= PHOTOS * HELD_TOGETHER
    assert fill(book, 99) >= PHOTOS * (1 - HELD_TOGETHER) / 2


KEPT_RESULTS = st.lists(st.tuples(st.integers(1, 4), SIZE, st.booleans()), max_size=30)


@given(KEPT_RESULTS, st.integers(1, 200), st.integers(0, 200))
def test_kept_results_give_way_only_if_that_helps_and_the_spared_ones_stay(
    results: list[tuple[int, int, bool]], lacking: int, spared: int
) -> None:
    kept = [Evictable(str(number), *one) for number, one in enumerate(results)]
    giving = to_evict(kept, lacking, spared=spared)
    left = sum(one.size for one in kept) - sum(one.size for one in giving)
    if giving:
        assert sum(one.size for one in giving) >= lacking > sum(one.size for one in giving[:-1])
        assert left >= spared
    elif spared == 0:
        assert sum(one.size for one in kept) < lacking
    for guild_id in {one.guild_id for one in giving}:
        own = sorted((one for one in kept if one.guild_id == guild_id), key=lambda one: not one.is_elsewhere)
        mine = [one for one in giving if one.guild_id == guild_id]
        assert mine == own[: len(mine)]  # what can still be had from Studii, the oldest first


def test_the_server_that_keeps_most_gives_its_results_first() -> None:
    kept = [Evictable("a", 1, 10, True), Evictable("b", 2, 10, True), Evictable("c", 2, 10, True)]
    assert [one.job_id for one in to_evict(kept, 5)] == ["b"]
