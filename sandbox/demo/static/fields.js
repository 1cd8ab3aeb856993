// Fields of commands and of forms: each returns its element, and a function that reads its value.
import { make } from "./dom.js";
import { choices } from "./message.js";
import { say } from "./words.js";

let count = 0;

function labelled(name, about, control, required) {
  const id = (control.id ||= `field${++count}`);
  const star = required ? " *" : "";
  return make("div", { class: "field" }, make("label", { class: "name", for: id }, name + star), about ? make("small", {}, about) : null, control);
}

// An option of a command.
export function option(told, names, suggest) {
  const required = Boolean(told.required);
  const about = told.description;
  const wrap = (control) => labelled(told.name, about, control, required);
  const plain = (control, read) => ({ name: told.name, element: wrap(control), control, read: read ?? (() => control.value) });
  if (told.choices?.length) return plain(picker(told.choices.map((one) => ({ value: one.value, label: one.name })), required));
  switch (told.type) {
    case 5: {
      const control = picker([{ value: "true", label: "True" }, { value: "false", label: "False" }], required);
      return plain(control, () => (control.value === "" ? "" : control.value === "true"));
    }
    case 6: return plain(picker(choices({ type: 5 }, names), required));
    case 7: return plain(picker(choices({ type: 8 }, names), required));
    case 8: return plain(picker(choices({ type: 6 }, names), required));
    case 9: return plain(picker(choices({ type: 7 }, names), required));
    case 11: {
      const control = make("input", { type: "file", required, accept: accepted(told), "data-option": told.name });
      return plain(control, () => control.files[0] ?? "");
    }
    case 4: case 10: {
      const step = told.type === 4 ? 1 : "any";
      return plain(make("input", { type: "number", step, min: told.min_value, max: told.max_value, required, "data-option": told.name }));
    }
    default: {
      const control = make("input", { type: "text", required, minlength: told.min_length, maxlength: told.max_length, autocomplete: "off",
        "data-option": told.name });
      const field = plain(control);
      if (told.autocomplete) suggestions(field, control, () => suggest(told.name));
      return field;
    }
  }
}

// Groups such as "image", and endings such as ".heic".
const accepted = (told) => told.file_types?.map((one) => (one.startsWith(".") ? one : `${one}/*`)).join(",");

function picker(all, required) {
  return make("select", { required }, make("option", { value: "" }, ""), all.map((one) => make("option", { value: one.value }, one.label)));
}

// Choices that the bot suggests while somebody types.
function suggestions(field, control, suggest) {
  const list = make("div", { class: "options", hidden: true });
  field.element.append(list);
  let exact = null;
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const all = await suggest();
      list.replaceChildren(...all.map((one) => make("button", { type: "button", onclick: () => take(one) }, one.name)));
      list.hidden = !all.length || !field.element.contains(document.activeElement);
    }, 150);
  };
  const take = (one) => {
    control.value = one.name;
    exact = one;
    list.hidden = true;
    control.focus();
    list.hidden = true;
  };
  control.addEventListener("input", () => ((exact = null), ask()));
  control.addEventListener("focus", ask);
  field.element.addEventListener("focusout", (event) => {
    if (!field.element.contains(event.relatedTarget)) list.hidden = true;
  });
  field.read = () => (exact && exact.name === control.value ? exact.value : control.value);
}

// A part of a form: a field with its label, or text (which has no value).
export function part(told, names, text) {
  if (told.type === 10) return { element: text(told.content) };
  if (told.type === 1) return field(told.components[0], told.components[0].label, "", names);
  return field(told.component, told.label, told.description, names);
}

function field(told, name, about, names) {
  const required = told.required ?? true;
  const make_ = (control, read) => ({ id: told.custom_id, element: labelled(name, about, control, required && told.type !== 23), read });
  switch (told.type) {
    case 4: {
      const settings = { required, minlength: told.min_length, maxlength: told.max_length, placeholder: told.placeholder };
      const control = make(told.style === 2 ? "textarea" : "input", { ...settings, value: told.value ?? "", autocomplete: "off" });
      return make_(control, () => control.value);
    }
    case 19: {
      const settings = { multiple: (told.max_values ?? 1) > 1, required: required && told.min_values !== 0 };
      const control = make("input", { type: "file", accept: accepted(told), ...settings });
      return make_(control, () => [...control.files].slice(0, told.max_values ?? 1));
    }
    case 21: return group(told, name, about, "radio", required);
    case 22: return group(told, name, about, "checkbox", required);
    case 23: {
      const box = make("input", { type: "checkbox", checked: Boolean(told.default) });
      const line = make("label", { class: "choice" }, box, make("span", {}, make("b", {}, name), about ? make("small", {}, about) : null));
      return { id: told.custom_id, element: make("div", { class: "field" }, line), read: () => box.checked };
    }
    default: {
      const all = choices(told, names);
      if ((told.max_values ?? 1) > 1) {
        return group({ ...told, options: all, type: 22 }, name, about, "checkbox", required);
      }
      const chosen = all.find((one) => one.default);
      const empty = make("option", { value: "" }, told.placeholder ?? say("Make a selection"));
      const control = make("select", { required: required && told.min_values !== 0 }, empty, all.map((one) =>
        make("option", { value: one.value, selected: one === chosen }, one.label + (one.description ? ` · ${one.description}` : ""))));
      return make_(control, () => (control.value ? [control.value] : []));
    }
  }
}

function group(told, name, about, type, required) {
  const id = `group${++count}`;
  const lines = (told.options ?? []).map((one) => {
    const box = make("input", { type, name: id, value: one.value, checked: Boolean(one.default), required: required && type === "radio" });
    return make("label", { class: "choice" }, box, make("span", {}, one.label, one.description ? make("small", {}, one.description) : null));
  });
  const element = make("fieldset", { class: "field" }, make("legend", { class: "name" }, name + (required ? " *" : "")),
    about ? make("small", {}, about) : null, lines);
  const chosen = () => [...element.querySelectorAll("input:checked")].map((box) => box.value);
  return { id: told.custom_id, element, read: () => (type === "radio" ? (chosen()[0] ?? null) : chosen()) };
}
