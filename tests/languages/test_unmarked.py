"""Sentences that people see and that are not marked for translation are found, wherever they are written."""

import pytest

from tests.support.unmarked import unmarked_in


def found(code: str, *, inner: bool = False) -> list[str]:
    return [text for _, text in unmarked_in(code, inner=inner)]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ('answer("Some words")', "Some words"),
        ('f"Charged {amount} credits"', "Charged {} credits"),
        ('Choice(name="Some words", value="a")', "Some words"),
        ('Choice(name="everyone", value="a")', "everyone"),
        ('app_commands.Choice[str](name=f"{count} more", value="a")', "{} more"),
        ('embed.add_field(name="cost", value=said)', "cost"),
        ('ui.Button(label="cancel", custom_id="studii:cancel")', "cancel"),
        ('label = "cancel"', "cancel"),
        ('self.placeholder = "a word"', "a word"),
        ('small("done")', "done"),
        ('lines(title, "done" if over else said)', "done"),
        ('Refused("no")', "no"),
        ('sentences(said, f"{name} again")', "{} again"),
        ('def state_words(job):\n    return "running" if job else ""', "running"),
        ('async def card_title():\n    return f"{tool}: after"', "{}: after"),
        ('_("Some words" + other)', "'Some words' + other: a mark takes a literal sentence"),
        ('_("{a}", a="some words")', "some words"),
    ],
)
def test_words_that_are_not_marked_are_found(code: str, text: str) -> None:
    assert text in found(code)


@pytest.mark.parametrize(
    "code",
    [
        '"""Some words about the module."""',
        '_("Some words")',
        'Choice(name=N_("everyone"), value="everyone")',
        '@command(name="forget-me", description=N_("Erase your data"))\ndef forget(): ...',
        'create_task(work(), name="a task of ours")',
        'asyncio.Task(work(), name="a task of ours")',
        '_log.info("Job %s is done", job.id)',
        'raise ValueError("not a job")',
        'ui.Button(label="…", custom_id="cancel this job")',
        'small(f"`{command}` · {said}")',
        'lines("`/help`", f"<@{member}>", "https://studii.tech")',
        'text(f"**{title}** {said}", name="running")',
        'state = "running"',
        'def state_words(job):\n    return words["running"]',
        'placeholder = "stu_…"  # Untranslated: how keys begin',
        '# Untranslated: operators read it.\nsaid = "Some words"',
    ],
)
def test_what_nobody_reads_and_what_is_marked_are_passed(code: str) -> None:
    assert found(code) == []


def test_of_what_speaks_to_operators_only_whole_sentences_count() -> None:
    assert found('doing = "storing that it was posted"\nwhy = "no end of image"', inner=True) == []
    assert found('default = "That picture is broken. Send another."', inner=True) != []
    assert found('default = lazy("That picture is broken. Send another.")', inner=True) == []
