"""Files that are damaged on their way."""

from hypothesis import strategies as st

Damage = tuple[str, float, int]
"""What happens, where as a share of the file, and with which value."""

WAYS: dict[str, st.SearchStrategy[int]] = {
    "flip": st.integers(0, 7),  # a bit
    "set": st.integers(0, 255),  # a byte
    "marker": st.integers(0, 255),  # of a JPEG
    "twice": st.integers(1, 400),  # a piece is there again
    "cut": st.integers(1, 40),  # a piece is gone
    "end": st.just(0),  # the rest is gone
}
DAMAGES = st.lists(
    st.one_of(
        *(st.tuples(st.just(way), st.floats(0, 1, exclude_max=True), value) for way, value in WAYS.items())
    ),
    min_size=1,
    max_size=5,
)


def damaged(data: bytes, damages: list[Damage], within: int | None = None) -> bytes:
    """The file after the damages, each of which is within so many bytes of its start, or anywhere."""
    for way, where, value in damages:
        at = int(where * min(len(data), within or len(data)))
        before, after = data[:at], data[at:]
        match way:
            case "flip":
                after = bytes(one ^ 1 << value for one in after[:1]) + after[1:]
            case "set":
                after = bytes((value,)) + after[1:]
            case "marker":
                after = bytes((0xFF, value)) + after[2:]
            case "twice":
                after = after[:value] + after
            case "cut":
                after = after[value:]
            case _:
                after = b""
        data = before + after
    return data
