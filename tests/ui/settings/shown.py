"""What an admin is shown, to be pressed."""

from simcord import InteractionResult, ResponseMessage


def message(shown: InteractionResult) -> ResponseMessage:
    assert shown.response is not None
    return shown.response
