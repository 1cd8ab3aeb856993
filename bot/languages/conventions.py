"""How each language writes numbers, dates and lists: a small part of Unicode's CLDR.

Babel holds all of CLDR, for 4 to 8 MiB of memory, and has no way to load less. So this part stands here, and
the tests compare what is made of it with what Babel makes. https://cldr.unicode.org
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.languages.language import Language


@dataclass(frozen=True, slots=True)
class Conventions:
    """What one language puts between and around digits, names of months, and the items of a list.

    `group` separates thousands, `point` decimals. `day` and `short_day` take the month's name and the day.
    `separator` stands between the items of a list, and before the last one of two or of more stand the words
    for "and" and "or".
    """

    group: str
    point: str
    day: str
    months: Sequence[str]
    short_day: str
    short_months: Sequence[str]
    separator: str
    and_of_two: str
    and_of_more: str
    or_of_two: str
    or_of_more: str


def _months(names: str) -> Sequence[str]:
    return tuple(names.split())


_JAPANESE_MONTHS = tuple(f"{number}月" for number in range(1, 13))

CONVENTIONS: Mapping[Language, Conventions] = {
    Language.ENGLISH: Conventions(
        group=",",
        point=".",
        day="{month} {day}",
        months=_months(
            "January February March April May June July August September October November December"
        ),
        short_day="{month} {day}",
        short_months=_months("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
        separator=", ",
        and_of_two=" and ",
        and_of_more=", and ",
        or_of_two=" or ",
        or_of_more=", or ",
    ),
    Language.GERMAN: Conventions(
        group=".",
        point=",",
        day="{day}. {month}",
        months=_months("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        short_day="{day}. {month}",
        # Untranslated: the names of months in German
        short_months=_months("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
        separator=", ",
        and_of_two=" und ",
        and_of_more=" und ",
        or_of_two=" oder ",
        or_of_more=" oder ",
    ),
    Language.FRENCH: Conventions(
        group="\u202f",
        point=",",
        day="{day} {month}",
        months=_months(
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
        ),
        short_day="{day} {month}",
        short_months=_months("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
        separator=", ",
        and_of_two=" et ",
        and_of_more=" et ",
        or_of_two=" ou ",
        or_of_more=" ou ",
    ),
    Language.SPANISH: Conventions(
        group=".",
        point=",",
        day="{day} de {month}",
        months=_months(
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
        ),
        short_day="{day} {month}",
        short_months=_months("ene feb mar abr may jun jul ago sept oct nov dic"),
        separator=", ",
        and_of_two=" y ",
        and_of_more=" y ",
        or_of_two=" o ",
        or_of_more=" o ",
    ),
    Language.PORTUGUESE: Conventions(
        group=".",
        point=",",
        day="{day} de {month}",
        months=_months(
            "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
        ),
        short_day="{day} de {month}",
        short_months=_months("jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."),
        separator=", ",
        and_of_two=" e ",
        and_of_more=" e ",
        or_of_two=" ou ",
        or_of_more=" ou ",
    ),
    Language.JAPANESE: Conventions(
        group=",",
        point=".",
        day="{month}{day}日",
        months=_JAPANESE_MONTHS,
        short_day="{month}{day}日",
        short_months=_JAPANESE_MONTHS,
        separator="、",
        and_of_two="、",
        and_of_more="、",
        or_of_two="または",
        or_of_more="、または",
    ),
}
