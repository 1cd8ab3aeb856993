"""The language of what people read: whole English sentences in the code, translated with GNU gettext.

Code says `from bot.languages import gettext as _`. What builds something to show does it in the language of
its readers, `with speaking(language):`. What is worded later, or for several readers, is a `Message`.
"""

from bot.languages.formats import (
    and_list,
    day_and_month,
    decimal,
    number,
    or_list,
    quotation_marks,
    sentences,
    short_day,
    whole_number,
)
from bot.languages.language import (
    Language,
    ReaderLanguages,
    known_language,
    language_of,
    speak,
    speaking,
    spoken,
)
from bot.languages.messages import (
    N_,
    Message,
    Worded,
    alternatives,
    gettext,
    lazy,
    ngettext,
    nlazy,
    paragraph,
    pgettext,
    plazy,
    unfilled,
)
from bot.languages.translations import load_all
