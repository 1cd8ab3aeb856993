"""The tools as data: those that are shipped, those of an operator, and what they take."""

from pathlib import Path

import pytest

from bot.catalog import MAX_LONG_TEXT, RESERVED, SHIPPED, Catalog, SourceRule, Tool
from bot.errors import Refused, SettingsError
from bot.languages import Language, speaking


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return Catalog.load()


@pytest.fixture
def studio(shipped: Catalog) -> Tool:
    return shipped.get("studio")


GOOD = """
[studio]
title = "Studio"
summary = "Make a picture"
emoji = "🎨"
source = "optional"
output = "image"
assumed_cost = 8
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "my-tools.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.promise
def test_the_five_tools_of_the_api_ship_in_the_order_of_their_file(shipped: Catalog) -> None:
    assert [(slug, tool.source) for slug, tool in shipped.tools.items()] == [
        ("studio", SourceRule.OPTIONAL),
        ("virtual-staging", SourceRule.REQUIRED),
        ("photo-restore", SourceRule.REQUIRED),
        ("product-background", SourceRule.REQUIRED),
        ("career-photo", SourceRule.REQUIRED),
    ]
    assert [slug for slug, tool in shipped.tools.items() if tool.portrait] == ["career-photo"]
    for tool in shipped.tools.values():  # every default that changes a price is one of the suggestions
        assert tool.in_catalogue(tool.prepare({"prompt": "a"}, has_source=tool.source != SourceRule.NONE))


@pytest.mark.promise
@pytest.mark.parametrize("typed", ["virtual-staging", "Virtual staging", " virtual STAGING "])
def test_a_tool_that_was_typed_instead_of_chosen_is_found(shipped: Catalog, typed: str) -> None:
    assert shipped.named(typed).slug == "virtual-staging"
    with pytest.raises(Refused, match="There's no tool “hologram”"):
        shipped.named("hologram")
    with pytest.raises(Refused, match="The tool “hologram” isn't available here any more"):
        shipped.get("hologram")


def test_the_shipped_tools_speak_every_language(shipped: Catalog) -> None:
    portrait = shipped.get("career-photo")
    with speaking(Language.GERMAN):
        assert (portrait.title, shipped.named("career portrait")) == ("Bewerbungsfoto", portrait)
    assert (portrait.title, shipped.named("bewerbungsfoto")) == ("Career portrait", portrait)


SAID = {"source": "text", "prompt": "a house", "mode": "image", "quality": "standard", "aspect_ratio": "16:9"}
LONG = "x" * MAX_LONG_TEXT
SEED = GOOD + '[[studio.inputs]]\nname = "seed"\ndescription = "A number"\n'


@pytest.mark.parametrize(
    ("values", "has_source", "sent"),
    [
        ({"prompt": "a house"}, False, SAID),
        ({"prompt": "a house"}, True, SAID | {"source": "image"}),
        ({"prompt": "  a house \n", "mode": "   ", "quality": None}, False, SAID),
        ({"prompt": "a house", "quality": "ultra"}, False, SAID | {"quality": "ultra"}),
        ({"prompt": LONG}, False, SAID | {"prompt": LONG}),
    ],
)
def test_what_is_sent(
    studio: Tool, values: dict[str, str | None], has_source: bool, sent: dict[str, str]
) -> None:
    assert studio.prepare(values, has_source=has_source) == sent


@pytest.mark.parametrize(
    ("slug", "prompt", "has_source", "complaint"),
    [
        *(
            ("studio", prompt, False, r"^Studio needs `prompt`: “Describe the picture or video”\.$")
            for prompt in ("", " \n ")
        ),
        ("studio", LONG + "x", False, r"`prompt` can have at most 2,000 characters\. Yours has 2,001"),
        ("photo-restore", "", False, "Photo restoration needs a photo"),
        ("own", "", True, "doesn't take a photo"),
    ],
)
def test_what_is_lacking_or_too_much_is_said(
    shipped: Catalog, tmp_path: Path, slug: str, prompt: str, has_source: bool, complaint: str
) -> None:
    own = Catalog.load(written(tmp_path, SEED.replace("optional", "none"))).get("studio")
    assert own.prepare({}, has_source=False) == {}  # an input without a value or a default is left out
    with pytest.raises(Refused, match=complaint):
        (own if slug == "own" else shipped.get(slug)).prepare({"prompt": prompt}, has_source=has_source)


def test_the_variant_names_what_changes_the_price_in_a_fixed_order(studio: Tool) -> None:
    inputs = studio.prepare({"prompt": "a", "mode": "video", "aspect_ratio": "1:1"}, has_source=True)
    assert studio.variant(inputs) == "mode=video quality=standard"
    assert studio.variant({"quality": "high", "mode": "image"}) == "mode=image quality=high"
    assert studio.in_catalogue({"mode": "image", "quality": "high", "aspect_ratio": "7:3"})
    assert not studio.in_catalogue({"mode": "image", "quality": "ultra"})


def test_what_is_made_follows_the_mode(shipped: Catalog, studio: Tool) -> None:
    assert [studio.output_kind(said) for said in ({"mode": "video"}, {"mode": "image"}, {})] == [
        "video",
        "image",
        "image",
    ]
    assert shipped.get("photo-restore").output_kind({}) == "image"


@pytest.mark.promise
def test_an_operator_adds_a_tool_without_touching_code(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8") + GOOD.replace("[studio]", "[sketch]").replace(
        "Studio", "Sketch"
    )
    catalog = Catalog.load(written(tmp_path, text))
    assert list(catalog.tools)[-1] == "sketch"
    assert catalog.get("sketch").title == "Sketch"


@pytest.mark.promise
def test_an_operator_gives_inputs_and_their_values_names_in_several_languages(tmp_path: Path) -> None:
    text = GOOD + '[[studio.inputs]]\nname = "sky"\ndescription = "Its sky"\nsuggestions = ["dusk", "noon"]\n'
    text += 'title = { en = "time of day", de = "Tageszeit" }\n'
    text += 'shown_as.dusk = { en = "at dusk", de = "abends" }\n'
    tool = Catalog.load(written(tmp_path, text)).get("studio")
    for language, said in (
        (Language.ENGLISH, [("time of day", "at dusk"), ("time of day", "noon")]),
        (Language.GERMAN, [("Tageszeit", "abends"), ("Tageszeit", "noon")]),
    ):
        with speaking(language):
            assert [tool.named_value("sky", value) for value in ("dusk", "noon")] == said
            for typed in ("abends", "At dusk", "DUSK"):
                assert tool.prepare({"sky": typed}, has_source=False) == {"sky": "dusk"}
            assert tool.prepare({"sky": "stormy"}, has_source=False) == {"sky": "stormy"}


BY_MODE = """
[studio]
title = "Studio"
summary = "Make a picture"
emoji = "🎨"
source = "optional"
output_from = "mode"
assumed_cost = FIGURES

[[studio.inputs]]
name = "mode"
description = "A picture or a video"
default = "image"
suggestions = ["image", "video"]
price = true
"""


PROMPT = '[[studio.inputs]]\nname = "prompt"\ndescription = "What it shows"\n'


@pytest.mark.promise
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace('title = "Studio"\n', ""), "[studio]: Object missing required field `title`."),
        (GOOD.replace('"Studio"', '{ de = "Atelier" }'), "[studio]: the English text is missing: add en."),
        (
            GOOD.replace('"Studio"', '{ en = "Studio", de = "' + "x" * 101 + '" }'),
            "[studio].title[...]: Expected `str` of length <= 100.",
        ),
        (
            GOOD.replace('"Studio"', '{ en = "Studio", de = "' + "x" * 33 + '" }'),
            "[studio]: title can have at most 32 characters: Discord shows it in menus.",
        ),
        (
            GOOD.replace('"Studio"', '{ en = "Studio", nl = "Atelier" }'),
            "[studio].title: 'nl' isn't one of en, de, fr, es, pt_BR, ja.",
        ),
        (GOOD + 'colour = "red"\n', "[studio]: Object contains unknown field `colour`."),
        (
            GOOD.replace("optional", "maybe"),
            "[studio].source: 'maybe' isn't one of none, optional, required.",
        ),
        (GOOD.replace("= 8", "= 0"), "[studio].assumed_cost: Expected `int` >= 1."),
        (GOOD.replace("= 8", "= 8.5"), "[studio].assumed_cost: Expected `int | object`, got `float`."),
        (
            GOOD.replace("= 8", "= { image = 8 }"),
            "[studio]: assumed_cost can only differ by mode if output_from names an input: give one number.",
        ),
        (
            BY_MODE.replace("FIGURES", "{ image = 8 }"),
            "[studio]: assumed_cost has no figure for mode 'video'.",
        ),
        (
            BY_MODE.replace("FIGURES", "{ image = 8, video = 40, hologram = 9 }"),
            "[studio]: assumed_cost names 'hologram', which mode does not suggest.",
        ),
        (
            BY_MODE.replace("FIGURES", "{ image = 8, video = 0 }"),
            "[studio].assumed_cost[...]: Expected `int` >= 1.",
        ),
        (
            BY_MODE.replace("FIGURES", "{ image = 8, video = 40 }").replace("price = true", "price = false"),
            "[studio]: assumed_cost differs by mode, so that input needs price = true.",
        ),
        (
            GOOD.replace("[studio]", "[Studio]"),
            "[Studio].slug: Expected `str` matching regex '\\\\A[a-z0-9_-]{1,32}\\\\Z'.",
        ),
        (
            GOOD + '[[studio.inputs]]\nname = "prompt"\n',
            "[studio].inputs[0]: Object missing required field `description`.",
        ),
        (
            GOOD + PROMPT + 'shown_as.red = "Red"\n',
            "[studio].inputs[0]: shown_as names 'red', which is neither suggested nor the default.",
        ),
        (GOOD + PROMPT + PROMPT, "[studio]: the input 'prompt' is there twice."),
        (
            GOOD + PROMPT.replace('"prompt"', '"private"'),
            "[studio]: 'private' is an option of every command: give the input another name.",
        ),
        (GOOD.replace('output = "image"\n', ""), "[studio]: set either output or output_from."),
        (
            GOOD.replace('output = "image"', 'output_from = "mode"'),
            "[studio]: output_from names 'mode', which isn't one of its inputs.",
        ),
        (
            GOOD + 'source_flag = { name = "prompt", with = "a", without = "b" }\n' + PROMPT,
            "[studio]: source_flag is 'prompt', which is already one of its inputs.",
        ),
        (
            GOOD + 'source_flag = { name = "source", with = "a" }\n',
            "[studio].source_flag: Object missing required field `without`.",
        ),
        (GOOD.replace('"Studio"', "7"), "[studio].title: Expected `str | object`, got `int`."),
        (GOOD.replace('"Studio"', '" "'), "[studio].title: Expected `str` matching regex '\\\\S'."),
        (GOOD + "usual_seconds = nan\n", "[studio].usual_seconds: Expected `float` > 0.0."),
        (GOOD + "usual_seconds = { gif = 3 }\n", "[studio].usual_seconds: 'gif' isn't one of image, video."),
        (GOOD + 'portrait = "perhaps"\n', "[studio].portrait: Expected `bool`, got `str`."),
        (GOOD + PROMPT.replace('"prompt"', '"p"') * 22, "[studio].inputs: Expected `array` of length <= 21."),
        ('studio = "nice"\n', "[studio]: Expected `object`, got `str`."),
        (
            GOOD + GOOD.replace("[studio]", "[photo-restore]").replace("optional", "maybe"),
            "[photo-restore].source: 'maybe' isn't one of none, optional, required.",
        ),
        *(
            (
                GOOD.replace("[studio]", f"[{name}]"),
                f"[{name}]: '{name}' is one of the bot's own commands: give the tool another name.",
            )
            for name in sorted(RESERVED)
        ),
    ],
)
def test_a_mistake_is_told_with_file_table_and_reason(tmp_path: Path, text: str, complaint: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        Catalog.load(file)
    assert str(caught.value) == f"{file}: {complaint}"


def test_a_file_that_can_not_be_used_is_told_of(tmp_path: Path) -> None:
    for content, complaint in (
        (b"deep = " + b"[" * 3000, r"my-tools\.toml isn't valid TOML"),
        (b'[studio]\ntitle = "Studio\n', r"my-tools\.toml isn't valid TOML: .*line 2"),
        ('[studio]\ntitle = "Atelié"\n'.encode("latin-1"), r"my-tools\.toml isn't valid TOML"),
        (b"# nothing yet\n", r"my-tools\.toml has no tools\."),
    ):
        file = tmp_path / "my-tools.toml"
        file.write_bytes(content)
        with pytest.raises(SettingsError, match=complaint):
            Catalog.load(file)


@pytest.mark.promise
def test_a_file_that_is_not_there_is_told_of_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^STUDII_TOOLS_FILE: .*gone\.toml can't be read \(No such file"):
        Catalog.load(tmp_path / "gone.toml")
