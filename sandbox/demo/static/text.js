// Discord's markdown, as elements: nothing that somebody wrote is ever parsed as HTML.
import { make } from "./dom.js";

const INLINE = new RegExp(
  [
    String.raw`\\(?<escaped>[\\*_~\x60|>#\-\[\]\(\)<@:])`,
    String.raw`(?<ticks>\x60{1,2})(?<code>.+?)\k<ticks>`,
    String.raw`\*\*(?<bold>.+?)\*\*(?!\*)`,
    String.raw`__(?<underline>.+?)__(?!_)`,
    String.raw`\*(?<italic>[^*\s](?:[^*]*[^*\s])?)\*`,
    String.raw`(?<![A-Za-z0-9])_(?<slanted>[^_]+)_(?![A-Za-z0-9])`,
    String.raw`~~(?<gone>.+?)~~`,
    String.raw`\|\|(?<hidden>.+?)\|\|`,
    String.raw`\[(?<label>[^\]\n]+)\]\(<?(?<target>https?:\/\/[^\s)>]+)>?\)`,
    String.raw`<?(?<address>https?:\/\/[^\s<>]+[^\s<>.,:;"')\]])>?`,
    String.raw`<@!?(?<user>\d+)>`,
    String.raw`<@&(?<role>\d+)>`,
    String.raw`<#(?<channel>\d+)>`,
    String.raw`<\/(?<command>[^:>]+):\d+>`,
    String.raw`<t:(?<moment>-?\d+)(?::(?<style>[tTdDfFR]))?>`,
    String.raw`<a?:(?<emoji>\w+):\d+>`,
  ].join("|"),
  "su",
);

let names = { users: {}, channels: {}, roles: {}, commands: {} };
export function know(all) {
  names = all;
}

export function inline(text) {
  const parts = [];
  while (text) {
    const match = INLINE.exec(text);
    if (match === null) break;
    if (match.index) parts.push(text.slice(0, match.index));
    parts.push(element(match));
    text = text.slice(match.index + match[0].length);
  }
  if (text) parts.push(text);
  return parts;
}

function element(match) {
  const g = match.groups;
  if (g.escaped) return g.escaped;
  if (g.code) return make("code", {}, g.code);
  if (g.bold) return make("strong", {}, inline(g.bold));
  if (g.underline) return make("u", {}, inline(g.underline));
  if (g.italic || g.slanted) return make("em", {}, inline(g.italic || g.slanted));
  if (g.gone) return make("s", {}, inline(g.gone));
  if (g.hidden) return spoiler(make("span", {}, inline(g.hidden)));
  if (g.label) return link(g.target, inline(g.label));
  if (g.address) return link(g.address, [g.address]);
  if (g.user) return mention(`@${names.users[g.user] ?? "someone"}`);
  if (g.role) return mention(`@${(names.roles[g.role] ?? "role").replace(/^@/, "")}`);
  if (g.channel) return jump(names.channels[g.channel] ? `#${names.channels[g.channel]}` : "#no access", g.channel);
  if (g.command) return mention(`/${g.command}`);
  if (g.emoji) return `:${g.emoji}:`;
  return stamp(Number(g.moment), g.style ?? "f");
}

const mention = (text) => make("span", { class: "mention" }, text);
const jump = (text, channel) => make("a", { class: "mention", href: "#", "data-channel": channel }, text);

// Links to messages of this server jump there; app.js listens for them.
export function link(address, children) {
  const at = /^https:\/\/(?:\w+\.)?discord(?:app)?\.com\/channels\/[^/]+\/(\d+)(?:\/(\d+))?$/u.exec(address);
  if (at) return make("a", { href: "#", "data-channel": at[1], "data-message": at[2] }, children);
  return make("a", { href: address, target: "_blank", rel: "noreferrer" }, children);
}

export function spoiler(element) {
  element.classList.add("spoiler");
  element.tabIndex = 0;
  element.setAttribute("aria-label", "Spoiler");
  const show = (event) => {
    if (element.classList.contains("shown") || (event.type === "keydown" && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    element.classList.add("shown");
  };
  element.addEventListener("click", show, true);
  element.addEventListener("keydown", show);
  return element;
}

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

function stamp(unix, style) {
  const date = new Date(unix * 1000);
  const shown = make("time", { class: "stamp", datetime: date.toISOString(), title: date.toLocaleString() });
  Object.assign(shown.dataset, { unix, style });
  word(shown);
  return shown;
}

// Discord words these times in the reader's language.
let locale = "en-US";
export const language = () => locale;
export function speak(wanted) {
  locale = wanted;
  document.querySelectorAll("time.stamp").forEach(word);
}

function word(shown) {
  const { unix, style } = shown.dataset;
  const text = style === "R" ? relative(Number(unix)) : new Intl.DateTimeFormat(locale, STYLES[style]).format(new Date(unix * 1000));
  if (shown.textContent !== text) shown.textContent = text;
}

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(unix) {
  const seconds = unix - Date.now() / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(locale).format(Math.trunc(seconds / size), unit);
}

setInterval(() => {
  if (document.hidden) return;
  document.querySelectorAll("time[data-style=R]").forEach(word);
}, 1000);

// What is read of a text in one line.
export const plain = (source) => inline(source.replace(/^\s*(?:#{1,3}|-#|>|[-*]|\d+\.) |```(?:\w+\n)?/gmu, "")).map((one) => one.textContent ?? one).join("");

// A whole text: paragraphs, headings, lists, quotes, blocks of code.
export function text(source) {
  const root = make("div", { class: "text" });
  const pieces = source.split(/```(?:\w+\n)?([\s\S]*?)```/u);
  pieces.forEach((piece, index) => {
    if (index % 2) root.append(make("pre", {}, piece.replace(/\n$/u, "")));
    else if (piece.trim()) lines(piece.replace(/^\n|\n$/gu, ""), root);
  });
  return root;
}

function lines(source, root) {
  for (const line of source.split("\n")) {
    const heading = /^(#{1,3}) (.*)/u.exec(line);
    const item = /^\s*(?:[-*]|(\d+)\.) (.*)/u.exec(line);
    if (line.startsWith("-# ")) root.append(make("p", { class: "subtext" }, inline(line.slice(3))));
    else if (heading) root.append(make(`h${heading[1].length}`, {}, inline(heading[2])));
    else if (line.startsWith("> ")) into(root, "blockquote", make("p", {}, inline(line.slice(2))));
    else if (item) into(root, item[1] ? "ol" : "ul", make("li", {}, inline(item[2])));
    else root.append(make("p", {}, inline(line)));
  }
}

function into(root, tag, child) {
  if (root.lastElementChild?.localName !== tag) root.append(make(tag));
  root.lastElementChild.append(child);
}
