"""Says which sentences no test has worded, with `pytest --unworded`."""

from collections.abc import Iterable

from tests.support.messages import template

Worded = Iterable[tuple[str | None, str]]


def unworded(worded: Worded) -> list[str]:
    """Return the sentences that are not among those that were worded, with the files that say them."""
    seen = set(worded)
    missing: list[str] = []
    for message in template():
        one = message.id[0] if isinstance(message.id, list | tuple) else message.id
        if one and (message.context, one) not in seen:
            missing.append(f"{' '.join(sorted({file for file, _ in message.locations}))}: {one!r}")
    return sorted(missing)
