// Where one writes: words, photos, and commands with their options.
import { find, make } from "./dom.js";
import { option } from "./fields.js";
import { say } from "./words.js";

// `acts` has send(wish), upload(file), say(error).
export class Composer {
  constructor(acts) {
    this.acts = acts;
    this.names = { users: {} };
    this.all = [];
    this.files = [];
    this.replyTo = null;
    this.chosen = 0;
    const words = find("#words");
    words.addEventListener("input", () => (this.grow(), this.suggest()));
    words.addEventListener("keydown", (event) => this.key(event));
    words.addEventListener("paste", (event) => this.add([...event.clipboardData.files]));
    find("#write").addEventListener("submit", (event) => (event.preventDefault(), this.post()));
    find("#file").addEventListener("change", (event) => {
      this.add([...event.target.files]);
      event.target.value = "";
    });
    this.drop();
  }

  // Commands and names, when they change.
  know(commands, names) {
    this.names = names;
    this.all = commands.filter((one) => one.kind === "slash").flatMap((one) => flat(one)).sort((a, b) => a.path.join(" ").localeCompare(b.path.join(" ")));
  }

  place(name, writes) {
    find("#words").placeholder = writes ? say("Message {name}", { name }) : say("You can't post here");
    find("#words").setAttribute("aria-label", find("#words").placeholder);
    find("#words").disabled = find("#send").disabled = find("#file").disabled = !writes;
    this.close();
    this.reply(null);
  }

  grow() {
    const words = find("#words");
    words.style.height = "auto";
    words.style.height = `${words.scrollHeight}px`;
  }

  key(event) {
    const open = !find("#suggestions").hidden;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (open) this.open(this.shown[this.chosen]);
      else this.post();
    } else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.mark((this.chosen + step + this.shown.length) % this.shown.length);
    } else if (open && event.key === "Tab") {
      event.preventDefault();
      this.open(this.shown[this.chosen]);
    } else if (event.key === "Escape") {
      this.hideSuggestions();
      this.reply(null);
    }
  }

  suggest() {
    const typed = find("#words").value;
    const list = find("#suggestions");
    const begun = this.begun(typed);
    if (begun) return this.open(begun.command, begun.rest);
    const asked = typed.slice(1).toLowerCase().trim();
    this.shown = typed.startsWith("/") ? this.all.filter((one) => one.path.join(" ").includes(asked)) : [];
    this.shown.sort((a, b) => b.path.join(" ").startsWith(asked) - a.path.join(" ").startsWith(asked));
    list.hidden = !this.shown.length;
    list.replaceChildren(...this.shown.map((one) =>
      make("button", { type: "button", role: "option", tabindex: -1, id: `command-${one.path.join("-")}`, onclick: () => this.open(one) }, `/${one.path.join(" ")}`, make("small", {}, one.description))));
    find("#words").setAttribute("aria-expanded", String(!list.hidden));
    find("#words").removeAttribute("aria-activedescendant");
    if (this.shown.length) this.mark(0);
  }

  hideSuggestions() {
    find("#suggestions").hidden = true;
    find("#words").setAttribute("aria-expanded", "false");
    find("#words").removeAttribute("aria-activedescendant");
  }

  // The command whose whole name and a space begin what was typed or pasted, and what follows.
  begun(typed) {
    const named = this.all.filter((one) => typed.toLowerCase().startsWith(`/${one.path.join(" ")} `));
    const command = named.sort((a, b) => b.path.join(" ").length - a.path.join(" ").length)[0];
    return command && { command, rest: typed.slice(command.path.join(" ").length + 2).trim() };
  }

  mark(index) {
    this.chosen = index;
    [...find("#suggestions").children].forEach((one, number) => {
      one.setAttribute("aria-selected", String(number === index));
      if (number !== index) return;
      one.scrollIntoView({ block: "nearest" });
      find("#words").setAttribute("aria-activedescendant", one.id);
    });
  }

  // A command with its options, in the place of the words. `rest` is typed into the first option for text.
  open(command, rest = "") {
    this.hideSuggestions();
    find("#words").value = "";
    this.grow();
    const suggest = async (focused) => {
      const values = this.values(fields.filter((one) => one.control.type !== "file"));
      const answer = await this.acts.send({ do: "command", path: command.path, values, focused });
      return answer.choices ?? [];
    };
    const fields = command.options.map((one) => option(one, this.names, suggest));
    const shown = make("div", { class: "fields" });
    const extras = make("div", { class: "extras" });
    // A text to be typed is what people begin with, also where it can be left out.
    const isTyped = (one) => one.type === 3 && !one.autocomplete && !one.choices?.length;
    const first = rest ? command.options.findIndex((one) => one.type === 3 && !one.choices?.length) : -1;
    fields.forEach((field, index) => {
      if (command.options[index].required || index === first || (index === 0 && isTyped(command.options[0]))) return shown.append(field.element);
      const show = () => {
        shown.append(field.element);
        button.remove();
        field.control.focus();
      };
      const button = make("button", { type: "button", "data-extra": field.name, onclick: show }, `+ ${field.name}`);
      extras.append(button);
    });
    const form = find("#command");
    form.replaceChildren(
      make("header", {}, make("b", {}, `/${command.path.join(" ")}`), make("small", {}, command.description),
        make("button", { type: "button", "aria-label": say("Cancel the command"), onclick: () => this.close(true) }, "✕")),
      shown, extras, make("div", { class: "ends" }, make("button", { type: "submit", class: "primary" }, say("Use command"))));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.use(command, fields.filter((one) => one.element.isConnected));
    };
    form.onkeydown = (event) => {
      if (event.key === "Escape") this.close(true);
    };
    form.hidden = false;
    find("#write").hidden = true;
    if (first >= 0) fields[first].control.value = rest;
    (fields[first]?.control ?? shown.querySelector("input, select") ?? form.querySelector("[type=submit]")).focus();
  }

  values(fields) {
    const read = fields.filter((one) => one.element.isConnected).map((one) => [one.name, one.read()]);
    return Object.fromEntries(read.filter(([, value]) => value !== ""));
  }

  async use(command, fields) {
    const values = this.values(fields);
    for (const [name, value] of Object.entries(values)) {
      if (value instanceof File) values[name] = await this.acts.upload(value);
    }
    this.close(true);
    await this.acts.send({ do: "command", path: command.path, values });
  }

  close(focus = false) {
    find("#command").hidden = true;
    find("#write").hidden = false;
    if (focus) find("#words").focus();
  }

  reply(told) {
    this.replyTo = told?.id ?? null;
    const bar = find("#reply");
    bar.hidden = !told;
    if (!told) return;
    bar.replaceChildren(say("Replying to {name}", { name: told.author }), make("button", { type: "button", "aria-label": say("Don't reply"), onclick: () => this.reply(null) }, "✕"));
    find("#words").focus();
  }

  add(files) {
    this.files.push(...files);
    if (this.files.length > 10) this.acts.say("Discord takes ten files in one message.");
    this.files.length = Math.min(this.files.length, 10);
    this.showFiles();
  }

  showFiles() {
    const list = find("#files");
    list.hidden = !this.files.length;
    list.replaceChildren(...this.files.map((file, index) => {
      const picture = file.type.startsWith("image/") ? make("img", { src: URL.createObjectURL(file), alt: file.name }) : make("span", { class: "file" }, file.name);
      const remove = () => (this.files.splice(index, 1), this.showFiles());
      return make("li", {}, picture, make("button", { type: "button", "aria-label": say("Remove {name}", { name: file.name }), onclick: remove }, "✕"));
    }));
  }

  async post() {
    const words = find("#words").value;
    if (!words.trim() && !this.files.length) return;
    const files = await Promise.all(this.files.map((file) => this.acts.upload(file)));
    if (files.includes("")) return; // what was too large is told, and the rest stays to be sent
    const people = Object.entries(this.names.users).sort(([, a], [, b]) => b.length - a.length);
    const written = people.reduce((all, [id, name]) => all.replaceAll(`@${name}`, `<@${id}>`), words);
    const reply_to = this.replyTo;
    find("#words").value = "";
    this.grow();
    this.add([]);
    this.files = [];
    this.showFiles();
    this.reply(null);
    await this.acts.send({ do: "post", words: written, files, reply_to });
  }

  drop() {
    let depth = 0;
    const over = find("#drop");
    const files = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => files(event) && (depth++, (over.hidden = false)));
    addEventListener("dragleave", (event) => files(event) && !--depth && (over.hidden = true));
    addEventListener("dragover", (event) => files(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      depth = 0;
      over.hidden = true;
      if (find("#file").disabled) return this.acts.say(say("You can't post here"));
      this.add([...event.dataTransfer.files]);
    });
  }
}

// The command, or each of its subcommands, with its whole path.
function flat(command, path = []) {
  const here = [...path, command.name];
  const below = (command.options ?? []).filter((one) => one.type === 1 || one.type === 2);
  if (below.length) return below.flatMap((one) => flat(one, here));
  return [{ path: here, description: command.description, options: command.options ?? [] }];
}
