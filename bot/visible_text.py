"""Remove invisible characters from untrusted text: controls, direction overrides, zero-width characters.

They can make a text read differently from what it is (a disguised file extension, a reversed sentence), hide
words, and defeat patterns. Joiners and variation selectors are kept where a script or an emoji needs them, as
in Persian, Hindi, family emoji and keycaps.
"""

import re
import unicodedata

ZWNJ, ZWJ = "\u200c", "\u200d"
KEYCAP = "\u20e3"
# Default_Ignorable_Code_Point, which Unicode keeps stable (DerivedCoreProperties.txt), and besides: controls,
# separators of lines and paragraphs, interlinear annotations, half surrogates and noncharacters.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(1, 17))
    + "]"
)
# The flags of England, Scotland and Texas: a black flag, invisible letters, and their end.
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
# Arabic to Mandaic, the scripts of India, Myanmar, Khmer, Mongolian, Balinese to Lepcha, 'Phags-pa, further
# Devanagari, Javanese, Myanmar and Meetei, forms of Arabic letters, further scripts of India, Adlam.
_JOINING = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\u1b00-\u1c4f\ua840-\ua87f"
    "\ua8e0-\ua8ff\ua980-\ua9ff\uaa60-\uaaff\ufb50-\ufdff\ufe70-\ufeff\U00010a00-\U00010aff"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_PICTOGRAPH = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_ALSO_A_PICTURE = frozenset("©®‼⁉™ℹ〰〽㊗㊙")
_KEYS = frozenset("0123456789#*")


def visible(text: str) -> str:
    """Return the text without its invisible characters, but for those that a script or an emoji needs.

    Spaces, tabs and line breaks stay; other separators of lines become a space.
    """
    if not _INVISIBLE.search(text):
        return text
    kept: list[str] = []
    at = 0
    while at < len(text):
        flag = _FLAG.match(text, at)
        piece = text[at] if flag is None else flag[0]
        at += len(piece)
        if flag is not None or not _INVISIBLE.match(piece) or _is_needed(piece, kept, text[at : at + 1]):
            kept.append(piece)
        elif piece.isspace():
            kept.append(" ")
    return "".join(kept)


def without_invisible(text: str) -> str:
    """Return the text without any invisible character, also where a script or an emoji needs it.

    For comparing texts: what is left reads the same, but may not be shown.
    """
    return _INVISIBLE.sub(lambda found: " " if found[0].isspace() else "", text)


def _is_needed(char: str, kept: list[str], following: str) -> bool:
    before = kept[-1] if kept else ""
    if char == ZWJ and _PICTOGRAPH.match(following) and _is_picture(kept):
        return True
    if char in {ZWNJ, ZWJ}:
        return _is_joining_letter(before)
    if char in {"\ufe0e", "\ufe0f"}:
        is_key = before in _KEYS and following == KEYCAP
        return is_key or before in _ALSO_A_PICTURE or bool(_PICTOGRAPH.match(before))
    if "\ufe00" <= char <= "\ufe02":
        return bool(_IDEOGRAPH.match(before)) or _is_joining_letter(before)
    if "\U000e0100" <= char <= "\U000e01ef":
        return bool(_IDEOGRAPH.match(before))
    return "\u180b" <= char <= "\u180f" and bool(_MONGOLIAN.match(before))


def _is_picture(kept: list[str]) -> bool:
    """Return whether the text ends with an emoji, with or without a variation selector."""
    last = kept[-1] if kept else ""
    if last in {"\ufe0e", "\ufe0f"} and len(kept) > 1:
        last = kept[-2]
    return bool(_PICTOGRAPH.match(last))


def _is_joining_letter(char: str) -> bool:
    if not _JOINING.match(char) or _INVISIBLE.match(char):
        return False
    return unicodedata.category(char)[0] in "LM"
