// A message, and the components in it: https://discord.com/developers/docs/components/reference
import { make } from "./dom.js";
import { language, link, plain, spoiler, text } from "./text.js";
import { say } from "./words.js";

const STYLES = { 1: "primary", 2: "", 3: "success", 4: "danger", 5: "" };
const COLOURS = ["#5865f2", "#3ba55c", "#c27c0e", "#a84300", "#71368a", "#206694", "#ad1457"];
const VIDEO = /\.(mp4|webm|mov)(?:$|\?)/iu;
const PICTURE = /\.(png|jpe?g|webp|gif|avif)(?:$|\?)/iu;

// `acts` has press(message, customId, values), react, menu(message, place), showReply.
export function message(told, acts, names) {
  const body = [];
  if (told.reply) body.push(reply(told.reply, acts));
  if (told.used_by) body.push(make("span", { class: "above" }, say("{name} used Studii", { name: told.used_by })));
  body.push(avatar(told), by(told));
  if (told.thinking) body.push(make("p", { class: "note" }, say("Studii is thinking …")));
  if (told.content) body.push(text(told.content));
  body.push(...told.components.map((one) => component(one, told, acts, names)));
  body.push(...attachments(told.attachments));
  if (told.edited && told.content) body.push(make("span", { class: "note" }, say("(edited)")));
  if (told.reactions.length) body.push(reactions(told, acts));
  if (told.private) body.push(onlyYou(told, acts));
  const item = make("li", { id: `m${told.id}`, tabindex: 0, class: told.private ? "private" : told.pings ? "pings" : "" }, body);
  item.append(tools(told, acts));
  item.addEventListener("contextmenu", (event) => {
    const own = event.target.closest("a, input, select, textarea"); // has a menu of the browser's
    if ((own && !own.querySelector("img")) || String(getSelection())) return;
    event.preventDefault();
    acts.menu(told, { x: event.clientX, y: event.clientY });
  });
  return item;
}

function avatar(told) {
  const colour = told.bot ? "#5865f2" : COLOURS[Number(told.author_id.slice(-2)) % COLOURS.length];
  return make("span", { class: "avatar", style: `background:${colour}`, "aria-hidden": "true" }, told.author[0]);
}

function by(told) {
  const at = new Date(told.timestamp);
  const time = at.toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
  const app = told.bot ? make("span", { class: "app" }, "APP") : null;
  return make("div", { class: "by" }, make("strong", {}, told.author), app, make("time", { datetime: told.timestamp }, time));
}

function reply(to, acts) {
  const words = to.author ? `↱ ${to.author}: ${plain(say(to.words))}` : `↱ ${say(to.words)}`;
  return make("button", { class: "above", type: "button", onclick: () => to.id && acts.showReply(to.id) }, words);
}

function onlyYou(told, acts) {
  const dismiss = make("a", { href: "#", onclick: (event) => (event.preventDefault(), acts.remove(told)) }, say("Dismiss message"));
  return make("div", { class: "note" }, `${say("Only you can see this")} · `, dismiss);
}

function tools(told, acts) {
  const react = (event) => acts.menu(told, placeOf(event.currentTarget), true);
  const more = (event) => acts.menu(told, placeOf(event.currentTarget));
  return make("div", { class: "tools" },
    told.private ? null : make("button", { type: "button", title: say("Add a reaction"), "aria-label": say("Add a reaction"), onclick: react }, "☺"),
    make("button", { type: "button", class: "more", title: say("More"), "aria-label": say("More"), onclick: more }, "⋯"));
}

function placeOf(button) {
  const box = button.getBoundingClientRect();
  return { x: box.left, y: box.bottom };
}

function reactions(told, acts) {
  return make("div", { class: "reactions" }, told.reactions.map((one) =>
    make("button", { type: "button", "aria-pressed": String(one.mine), onclick: () => acts.react(told, one.emoji) },
      `${one.emoji} ${one.count}`)));
}

function attachments(all) {
  const shown = all.filter((one) => PICTURE.test(one.filename) || VIDEO.test(one.filename));
  const files = all.filter((one) => !shown.includes(one)).map((one) => file(one.url, one.filename));
  return shown.length ? [gallery(shown.map((one) => ({ media: { url: one.url }, description: one.filename }))), ...files] : files;
}

const file = (url, name) => make("a", { class: "file", href: url, target: "_blank", download: name }, `📄 ${name}`);

function gallery(items) {
  const size = items.length === 1 ? "one" : items.length === 2 || items.length === 4 ? "two" : "";
  return make("div", { class: `gallery ${size}` }, items.map(medium));
}

function medium(item) {
  const url = item.media.url;
  const about = item.description || "Picture";
  const shown = VIDEO.test(url)
    ? make("video", { src: url, controls: true, preload: "metadata", "aria-label": about })
    : make("img", { src: url, alt: about, title: item.description });
  const held = VIDEO.test(url) ? make("div", {}, shown) : make("a", { href: url, target: "_blank" }, shown);
  return item.spoiler ? spoiler(held) : held;
}

function thumbnail(one) {
  const shown = make("img", { class: "thumb", src: one.media.url, alt: one.description ?? "Picture" });
  return one.spoiler ? spoiler(shown) : shown;
}

function component(one, told, acts, names) {
  const inside = (child) => component(child, told, acts, names);
  switch (one.type) {
    case 1: return make("div", { class: "row" }, one.components.map(inside));
    case 2: return button(one, told, acts);
    case 3: case 5: case 6: case 7: case 8: return select(one, told, acts, names);
    case 9: return make("div", { class: "section" }, make("div", {}, one.components.map(inside)), inside(one.accessory));
    case 10: return text(one.content);
    case 11: return thumbnail(one);
    case 12: return gallery(one.items);
    case 13: return file(one.file.url, decodeURIComponent(one.file.url.split("?")[0].split("/").at(-1)));
    case 14: return make("hr", { class: one.divider === false ? "none" : "" });
    case 17: return container(one, inside);
    default: return make("p", { class: "note" }, `A component of kind ${one.type}, which this page doesn't know`);
  }
}

function container(one, inside) {
  const colour = one.accent_color ?? one.accent_colour;
  const style = colour === null || colour === undefined ? undefined : `border-left-color:#${colour.toString(16).padStart(6, "0")}`;
  const shown = make("div", { class: "container", style }, one.components.map(inside));
  return one.spoiler ? spoiler(shown) : shown;
}

function button(one, told, acts) {
  const label = [one.emoji?.name, one.label].filter(Boolean).join(" ");
  if (one.style === 5) {
    const shown = link(one.url, [`${label} ↗`]);
    shown.className = "button";
    return shown;
  }
  const press = async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    await acts.press(told, one.custom_id);
    if (pressed.isConnected) pressed.disabled = false;
  };
  return make("button", { type: "button", class: STYLES[one.style], disabled: Boolean(one.disabled), onclick: press }, label);
}

const ENTITIES = { 5: ["users"], 6: ["roles"], 7: ["users", "roles"], 8: ["channels"] };
const SIGNS = { users: "@", roles: "@", channels: "#" };

// The choices of a menu: its own, or people, roles, channels.
export function choices(one, names) {
  if (one.options) return one.options;
  const chosen = new Set((one.default_values ?? []).map((value) => String(value.id)));
  return (ENTITIES[one.type] ?? []).flatMap((kind) =>
    Object.entries(names[kind]).map(([value, label]) => ({ value, label: SIGNS[kind] + label.replace(/^@/, ""), default: chosen.has(value) })));
}

function select(one, told, acts, names) {
  const all = choices(one, names);
  const about = one.placeholder ?? say("Make a selection");
  if ((one.max_values ?? 1) > 1) return several(one, all, about, told, acts);
  const options = all.map((option) => make("option", { value: option.value, selected: Boolean(option.default), title: option.description },
    [option.emoji?.name, option.label].filter(Boolean).join(" ") + (option.description ? ` · ${option.description}` : "")));
  const empty = { value: "", disabled: one.min_values !== 0, selected: !all.some((option) => option.default) };
  const none = make("option", empty, about);
  const shown = make("select", { "aria-label": about, disabled: Boolean(one.disabled) }, none, options);
  shown.addEventListener("change", () => acts.press(told, one.custom_id, shown.value ? [shown.value] : []));
  return shown;
}

function several(one, all, about, told, acts) {
  const boxes = all.map((option) => make("label", {}, make("input", { type: "checkbox", value: option.value, checked: Boolean(option.default) }),
    ` ${option.label}`));
  const held = make("div", {}, boxes);
  const apply = () => acts.press(told, one.custom_id, [...held.querySelectorAll("input:checked")].map((box) => box.value));
  held.append(make("button", { type: "button", class: "primary", onclick: apply }, say("Apply")));
  const chosen = all.filter((option) => option.default).map((option) => option.label).join(", ");
  return make("details", { class: "many" }, make("summary", {}, `${chosen || about} ▾`), held);
}
