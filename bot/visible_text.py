"""Remove invisible characters from untrusted text: controls, direction overrides, zero-width characters.

They can make a text read differently from what it is (a disguised file extension, a reversed sentence), hide
words, and defeat patterns. Joiners and variation selectors are kept where a script or an emoji needs them, as
in Persian, Hindi, family emoji and keycaps.
"""

import re

# Default_Ignorable_Code_Point, which Unicode keeps stable (DerivedCoreProperties.txt), and besides: controls,
# separators of lines and paragraphs, interlinear annotations, half surrogates and noncharacters.
_INVISIBLE = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(1, 17))
    + "]"
)
# Arabic to Mandaic, the scripts of India, Myanmar, Khmer, Mongolian, Balinese to Lepcha, 'Phags-pa, further
# Devanagari, Javanese, Myanmar and Meetei, forms of Arabic letters, further scripts of India, Adlam.
_JOINING = (
    "[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\u1b00-\u1c4f\ua840-\ua87f"
    "\ua8e0-\ua8ff\ua980-\ua9ff\uaa60-\uaaff\ufb50-\ufdff\ufe70-\ufeff\U00010a00-\U00010aff"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
_PICTOGRAPH = "[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0e\ufe0f]?"
_NEEDED = (
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f",  # England, Scotland and Texas
    f"{_PICTOGRAPH}(?:\u200d{_PICTOGRAPH})*",
    "[0-9#*][\ufe0e\ufe0f](?=\u20e3)",  # keycaps
    "[©®‼⁉™ℹ〰〽㊗㊙][\ufe0e\ufe0f]",
    f"(?!{_INVISIBLE}){_JOINING}[\u200c\u200d\ufe00-\ufe02]",
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\ufe00-\ufe02\U000e0100-\U000e01ef]",  # ideographs
    "[\u1820-\u18aa][\u180b-\u180f]",  # Mongolian
)
_PIECES = re.compile(f"(?P<needed>{'|'.join(_NEEDED)})|{_INVISIBLE}")


def visible(text: str) -> str:
    """Return the text without its invisible characters, but for those that a script or an emoji needs.

    Spaces, tabs and line breaks stay; other separators of lines become a space.
    """
    return _PIECES.sub(lambda found: found["needed"] or _instead(found), text)


def without_invisible(text: str) -> str:
    """Return the text without any invisible character, also where a script or an emoji needs it.

    For comparing texts: what is left reads the same, but may not be shown.
    """
    return re.sub(_INVISIBLE, _instead, text)


def _instead(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ""
