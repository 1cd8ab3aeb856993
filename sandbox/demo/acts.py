"""What a person does on the page, as Discord's client would send it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.demo.place import GUILD
from sandbox.demo.view import View
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.answers import COMPLETE, FORM
from sandbox.discord.emulator.inputs import MENU, command_input, form_input, select_input
from sandbox.discord.emulator.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from sandbox.discord.emulator.messages import Message, walk
from sandbox.discord.emulator.places import ADD_REACTIONS, ATTACH, MANAGE_MESSAGES, SEND, SEND_IN_THREADS

COMMAND_ANSWER_SECONDS = 3.2  # Discord waits for three
ANSWER_POLL_SECONDS = 0.01
BUTTON = 2


class NotPossibleError(RuntimeError):
    """It can't be done; the message is for the person."""


File = tuple[str, bytes, str]  # its name, its bytes, its media type


class Acts:
    """Acts as somebody in the server. All methods raise `NotPossibleError` for what Discord doesn't allow.

    `patience`: the seconds after which a person stops waiting for an answer.
    """

    def __init__(
        self, server: DiscordServer, view: View, *, patience: float = COMMAND_ANSWER_SECONDS
    ) -> None:
        self._patience = patience
        self._server = server
        self._view = view
        self._forms: dict[str, tuple[Interaction, Mapping[str, Any]]] = {}  # that are open, by token

    async def command(
        self,
        who: int,
        channel_id: int,
        path: Sequence[str],
        values: Mapping[str, Any],
        *,
        locale: str = "en-US",
        focused: str | None = None,
    ) -> dict[str, Any]:
        """Use a slash command, or ask for the choices of the `focused` option. Files are `File`s."""
        self._ensure_sees(who, channel_id)
        command = self._command(who, channel_id, path[0])
        given = {name: self._uploaded(value, channel_id) for name, value in values.items()}
        data = command_input(command, path[1:], given, self._server.places.guilds[GUILD], focused)
        kind = COMMAND if focused is None else AUTOCOMPLETE
        return await self._answered(self._server.begin(channel_id, who, kind, data, locale=locale))

    async def menu(self, who: int, message_id: int, name: str, *, locale: str = "en-US") -> dict[str, Any]:
        """Use a command of a message's menu."""
        message = self.message(who, message_id)
        if message.ephemeral:
            raise NotPossibleError("Apps can't be used on a message that only you can see.")
        command = self._command(who, message.channel_id, name, MENU)
        data = {"id": str(command["id"]), "name": name, "type": MENU, "target_id": str(message_id)}
        data |= {"resolved": {"messages": {str(message_id): message.told()}}}
        return await self._answered(self._server.begin(message.channel_id, who, COMMAND, data, locale=locale))

    async def press(
        self,
        who: int,
        message_id: int,
        custom_id: str,
        values: Sequence[str] | None = None,
        *,
        locale: str = "en-US",
    ) -> dict[str, Any]:
        """Press a button under a message, or choose from its menu."""
        message = self.message(who, message_id)
        parts = walk(message.told()["components"])
        component = next((one for one in parts if one.get("custom_id") == custom_id), None)
        if component is None or component.get("disabled"):
            raise NotPossibleError("That button has changed meanwhile. Look at the message again.")
        if int(component["type"]) == BUTTON:
            data: dict[str, Any] = {"custom_id": custom_id, "component_type": BUTTON}
        else:
            data = select_input(component, values or (), self._server.places.guilds[GUILD])
        return await self._answered(
            self._server.begin(message.channel_id, who, COMPONENT, data, pressed=message, locale=locale)
        )

    async def submit(self, who: int, token: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Send a form that was shown. Files are lists of `File`s."""
        found = self._forms.get(token)
        if found is None or found[0].user_id != who:
            raise NotPossibleError("This form isn't open any more.")
        asked, form = found
        given = {name: self._all_uploaded(value, asked.channel.id) for name, value in values.items()}
        data = form_input(form, given, self._server.places.guilds[GUILD])
        begun = self._server.begin(
            asked.channel.id, who, MODAL, data, pressed=asked.pressed, locale=asked.locale
        )
        answer = await self._answered(begun)
        self._forms.pop(token, None)
        return answer

    def post(
        self, who: int, channel_id: int, words: str, files: Sequence[File] = (), reply_to: int | None = None
    ) -> Message:
        """Write a message."""
        self._ensure_sees(who, channel_id)
        channel = self._server.places.channels[channel_id]
        may = self._server.places.may(who, channel)
        if not may & (SEND_IN_THREADS if channel.is_thread else SEND) or (files and not may & ATTACH):
            raise NotPossibleError("You can't post here.")
        if not words.strip() and not files:
            raise NotPossibleError("Write something, or add a photo.")
        given = {_free(name, index): (data, kind) for index, (name, data, kind) in enumerate(files)}
        return self._server.post(channel_id, who, words, given, reply_to)

    def react(self, who: int, message_id: int, emoji: str) -> None:
        """Put an emoji under a message, or take it away."""
        message = self.message(who, message_id)
        if who in message.reactions.get(emoji, ()):
            self._server.unreact(message, who, emoji)
            return
        may = self._server.places.may(who, message.channel)
        if message.ephemeral or (emoji not in message.reactions and not may & ADD_REACTIONS):
            raise NotPossibleError("You can't react to this message.")
        self._server.react(message, who, emoji)

    def delete(self, who: int, message_id: int) -> None:
        """Delete one's own message, or any as a moderator; dismiss one that only this person sees."""
        message = self.message(who, message_id)
        if message.ephemeral:
            del self._server.messages[message_id]
            return
        may = self._server.places.may(who, message.channel)
        if message.author_id != who and not (message.channel.guild_id and may & MANAGE_MESSAGES):
            raise NotPossibleError("You can't delete this message.")
        self._server.delete(message)

    def message(self, who: int, message_id: int) -> Message:
        """Return a message that the person sees."""
        message = self._server.messages.get(message_id)
        if message is None or not self._view.sees_message(who, message):
            raise NotPossibleError("This message isn't there any more.")
        return message

    async def _answered(self, begun: tuple[Interaction, dict[str, Any]]) -> dict[str, Any]:
        """Send it, wait for the first answer, and return what is more than a message: a form or choices."""
        interaction = self._server.send(begun)
        until = time.monotonic() + self._patience
        while interaction.answered_as is None:
            if time.monotonic() > until:
                raise NotPossibleError("The application did not respond.")
            await asyncio.sleep(ANSWER_POLL_SECONDS)
        said = interaction.said or {}
        if interaction.answered_as == FORM:
            self._forms[interaction.token] = (interaction, said)
            return {"form": {**said, "token": interaction.token}}
        answer = None if interaction.answer is None else str(interaction.answer.id)
        if interaction.answered_as == COMPLETE:
            return {"choices": said.get("choices", [])}
        return {"message": answer}

    def _command(self, who: int, channel_id: int, name: str, kind: int = 1) -> Mapping[str, Any]:
        allowed = {one["id"] for one in self._view.commands(who, channel_id)}
        for one in self._server.commands:
            if one["name"] == name and one.get("type", 1) == kind and one["id"] in allowed:
                return one
        raise NotPossibleError(f"There is no command {name} for you here.")

    def _ensure_sees(self, who: int, channel_id: int) -> None:
        if not self._view.sees(who, channel_id):
            raise NotPossibleError("You can't see this channel.")

    def _uploaded(self, value: Any, channel_id: int) -> Any:
        if isinstance(value, tuple):
            name, data, kind = value  # pyright: ignore[reportUnknownVariableType] # a File
            return self._server.upload(str(name), data, str(kind), channel_id)  # pyright: ignore[reportUnknownArgumentType]
        return value

    def _all_uploaded(self, value: Any, channel_id: int) -> Any:
        if isinstance(value, list):
            return [self._uploaded(one, channel_id) for one in value]  # pyright: ignore[reportUnknownVariableType]
        return value


def _free(name: str, index: int) -> str:
    """Return a name that no other file of the message has."""
    return name if index == 0 else f"{index}-{name}"
