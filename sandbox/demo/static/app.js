// The page: who looks where, what the server tells of it, and what is done there.
import { Composer } from "./composer.js";
import { find, make } from "./dom.js";
import { part } from "./fields.js";
import { message } from "./message.js";
import { know, speak, text } from "./text.js";
import { say as word, sayIn } from "./words.js";

const EMOJI = ["👍", "❤️", "⭐", "🎉", "🛋️", "🕰️", "📦", "👔", "🎨"];
const kept = {
  read: (name, otherwise) => JSON.parse(sessionStorage.getItem(name)) ?? otherwise,
  write: (name, value) => sessionStorage.setItem(name, JSON.stringify(value)),
};

const state = {
  who: kept.read("who", ""), channel: kept.read("channel", ""), locale: kept.read("locale", "en-US"), seen: kept.read("seen", {}),
  names: { users: {}, channels: {}, roles: {}, commands: {} }, channels: [], commands: [], drawn: new Map(), looking: null, low: true, last: "0", news: false, closed: "",
};
let socket = null;
let number = 0;
const waiting = new Map();

// What somebody does with these is answered at the end of the channel.
const SHOWN_BELOW = ["post", "command", "menu", "submit"];

// Sends a wish; returns its answer, after having shown what it brings: an error, a form, or the newest message.
function send(wish) {
  return new Promise((resolve) => {
    const id = ++number;
    waiting.set(id, (answer) => {
      if (answer.error) say(answer.error);
      else if (answer.form) showForm(answer.form);
      else if (SHOWN_BELOW.includes(wish.do) && !answer.choices) goDown();
      resolve(answer);
    });
    socket.send(JSON.stringify({ id, ...wish }));
  });
}

async function upload(file) {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  const response = await fetch(`/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file, headers });
  if (!response.ok) {
    say(`${file.name} is too large for this page.`);
    return "";
  }
  return response.json();
}

let hiding = 0;
function say(words) {
  const notice = find("#notice");
  notice.textContent = words;
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (notice.hidden = true), 6000);
}

const composer = new Composer({ send, upload, say });
const acts = {
  press: (told, button, values) => send({ do: "press", message: told.id, button, values }),
  react: (told, emoji) => send({ do: "react", message: told.id, emoji }),
  remove: (told) => send({ do: "delete", message: told.id }),
  menu: showMenu,
  showReply: (id) => goTo(state.channel, id),
};

function connect() {
  socket = new WebSocket(`${location.origin.replace("http", "ws")}/live`);
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = () => {
    find("#app").setAttribute("aria-busy", "true");
    say("The demo has ended, or is starting again.");
    setTimeout(connect, 1500);
  };
}

function hear(told) {
  if (told.re) {
    waiting.get(told.re)?.(told);
    waiting.delete(told.re);
    return;
  }
  if (told.people) return begin(told);
  if (told.names) know((state.names = told.names));
  if (told.commands) state.commands = told.commands;
  if (told.names || told.commands) composer.know(state.commands, state.names);
  if (told.messages) drawMessages(told.messages);
  if (told.channels) drawChannels(told.channels);
  if (told.tour) drawTour(told.tour);
  find("#app").setAttribute("aria-busy", "false");
}

function begin(told) {
  find("#server").textContent = told.server;
  find("#notice").hidden = true;
  const people = find("#person");
  people.replaceChildren(...told.people.map((one) => make("option", { value: one.id }, `${one.name} (${one.about})`)));
  if (!told.people.some((one) => one.id === state.who)) state.who = told.people[0].id;
  people.value = state.who;
  const locales = find("#locale");
  locales.replaceChildren(...Object.entries(told.locales).map(([one, name]) => make("option", { value: one }, name)));
  locales.value = state.locale;
  look();
}

function look(changes = {}) {
  Object.assign(state, changes);
  for (const name of ["who", "channel", "locale"]) kept.write(name, state[name]);
  speak(state.locale);
  sayIn(state.locale);
  if ("locale" in changes && state.looking) drawAnew();
  return send({ do: "look", who: state.who, channel: state.channel, locale: state.locale });
}

function drawAnew() {
  const told = state.looking;
  state.looking = null;
  drawMessages(told);
}

function drawChannels(all) {
  state.channels = all;
  const read = (state.seen[state.who] ??= {});
  const list = find("#channels");
  const held = [...list.children].indexOf(document.activeElement);
  list.replaceChildren(...all.map((one) => {
    const here = one.id === state.channel;
    if (here || !read[one.id]) read[one.id] = one.last;
    const name = one.kind === "channel" ? `# ${one.name}` : one.kind === "thread" ? `↳ ${one.name}` : `✉ ${one.name}`;
    const news = BigInt(one.last) > BigInt(read[one.id]);
    return make("button", { type: "button", class: `${one.kind} ${news ? "news" : ""}`, "aria-current": String(here), title: one.topic,
      onclick: () => (side(false), look({ channel: one.id })) }, name + (news ? " •" : ""));
  }));
  if (held >= 0) list.children[held]?.focus({ preventScroll: true });
  kept.write("seen", state.seen);
}

function drawMessages(told) {
  const list = find("#messages");
  const elsewhere = told.channel !== state.looking?.channel || told.who !== state.looking?.who;
  if (elsewhere) state.low = true;
  if (elsewhere) {
    state.drawn.clear();
    list.replaceChildren();
  }
  state.looking = told;
  state.channel = told.channel;
  const now = new Set(told.all.map((one) => one.id));
  for (const [id, drawn] of state.drawn) {
    if (!now.has(id)) (drawn.element.remove(), state.drawn.delete(id));
  }
  told.all.forEach((one, index) => {
    const source = JSON.stringify(one);
    const drawn = state.drawn.get(one.id);
    let element = drawn?.element;
    if (drawn?.source !== source) {
      element = message(one, acts, state.names);
      if (drawn) keepFocus(drawn.element, element);
      state.drawn.set(one.id, { source, element });
    }
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
  const last = told.all.at(-1)?.id ?? "0";
  state.news = !elsewhere && (state.news || BigInt(last) > BigInt(state.last));
  state.last = last;
  follow();
  find("#app").dataset.who = told.who;
  if (elsewhere) drawPlace();
  if (state.goal && state.drawn.has(state.goal)) (flash(state.goal), (state.goal = null));
}

// A message that changes while somebody is in it keeps the focus in the same place.
function keepFocus(before, after) {
  const focusable = "button, a, select, input, summary";
  const index = [...before.querySelectorAll(focusable)].indexOf(document.activeElement);
  const held = document.activeElement === before || index >= 0;
  before.replaceWith(after);
  if (held) (after.querySelectorAll(focusable)[index] ?? after).focus({ preventScroll: true });
}

function drawPlace() {
  const here = state.channels.find((one) => one.id === state.channel);
  if (!here) return requestAnimationFrame(() => state.channels.some((one) => one.id === state.channel) && drawPlace());
  const name = here.kind === "channel" ? `#${here.name}` : here.name;
  find("#channel-name").textContent = name;
  find("#channel-topic").textContent = word(here.topic);
  composer.place(name, here.writes);
  drawChannels(state.channels);
  kept.write("channel", state.channel);
}

// Whoever is at the newest message stays there, also when pictures arrive; whoever reads above is left alone.
function follow() {
  const list = find("#messages");
  if (state.low) list.scrollTop = list.scrollHeight;
  state.news &&= !state.low;
  find("#newest").hidden = !state.news;
}

function goDown() {
  state.low = true;
  follow();
}

let top = 0;
find("#messages").addEventListener("scroll", ({ target }) => {
  // Only somebody's own scrolling goes up; what arrives makes the list longer.
  if (target.scrollHeight - target.scrollTop - target.clientHeight < 60) goDown();
  else if (target.scrollTop < top) state.low = false;
  top = target.scrollTop;
});
for (const name of ["load", "loadedmetadata"]) find("#messages").addEventListener(name, follow, true);
addEventListener("resize", follow);

function goTo(channel, id) {
  if (!state.channels.some((one) => one.id === channel)) return say("You can't see that channel.");
  state.goal = id ?? null;
  if (channel !== state.channel) return look({ channel });
  if (id && state.drawn.has(id)) flash(id);
  else if (id) say("That message isn't here any more.");
}

function flash(id) {
  const { element } = state.drawn.get(id);
  state.low = false;
  element.scrollIntoView({ block: "center" });
  element.classList.remove("found");
  requestAnimationFrame(() => element.classList.add("found"));
}

document.addEventListener("click", (event) => {
  const to = event.target.closest("a[data-channel]");
  if (to) {
    event.preventDefault();
    goTo(to.dataset.channel, to.dataset.message);
  }
  if (!event.target.closest("#menu, .tools")) find("#menu").hidden = true;
});

function showMenu(told, place, onlyEmoji = false) {
  const menu = find("#menu");
  const opener = document.activeElement;
  const close = () => {
    menu.hidden = true;
    opener?.focus?.({ preventScroll: true });
  };
  const item = (label, act) => make("button", { type: "button", role: "menuitem", onclick: () => (close(), act()) }, label);
  const channel = state.channels.find((one) => one.id === state.channel);
  const parts = [];
  if (!onlyEmoji) {
    if (!told.private) parts.push(item(`↰ ${word("Reply")}`, () => composer.reply(told)));
    const apps = told.private ? [] : state.commands.filter((one) => one.kind === "menu");
    if (apps.length) parts.push(make("div", { class: "title" }, word("Apps")));
    parts.push(...apps.map((one) => item(one.label, () => send({ do: "menu", message: told.id, name: one.name }))));
    if (told.private) parts.push(item(word("Dismiss message"), () => acts.remove(told)));
    else if (told.mine || channel?.moderates) parts.push(item(`🗑 ${word("Delete message")}`, () => acts.remove(told)));
  }
  if (!told.private) {
    const other = make("input", { "aria-label": word("Another emoji"), placeholder: "emoji", maxlength: 16 });
    other.addEventListener("keydown", (event) => event.key === "Enter" && other.value && (close(), acts.react(told, other.value.trim())));
    parts.push(make("div", { class: "title" }, word("React")), make("div", { class: "emoji" }, EMOJI.map((one) => item(one, () => acts.react(told, one))), other));
  }
  menu.replaceChildren(...parts);
  menu.hidden = false;
  menu.style.left = `${Math.max(4, Math.min(place.x, innerWidth - menu.offsetWidth - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(place.y, innerHeight - menu.offsetHeight - 4))}px`;
  menu.onkeydown = (event) => {
    const all = [...menu.querySelectorAll("button, input")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    if (step) (event.preventDefault(), all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus());
  };
  menu.querySelector("button")?.focus();
}

function showForm(form) {
  const dialog = find("#form");
  const parts = form.components.map((one) => part(one, state.names, text));
  const button = make("button", { type: "submit", class: "primary" }, word("Submit"));
  const body = make("form", {}, make("h2", {}, form.title), parts.map((one) => one.element),
    make("div", { class: "ends" }, make("button", { type: "button", onclick: () => dialog.close() }, word("Cancel")), button));
  body.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const values = {};
    for (const one of parts.filter((one) => one.id)) values[one.id] = await uploaded(one.read());
    const answer = await send({ do: "submit", token: form.token, values });
    button.disabled = false;
    if (!answer.error && !answer.form) dialog.close();
  });
  dialog.replaceChildren(body);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input, textarea, select")?.focus();
}

async function uploaded(value) {
  if (!Array.isArray(value)) return value;
  return Promise.all(value.map((one) => (one instanceof File ? upload(one) : one)));
}

function drawTour(tour) {
  const button = find("#tour");
  button.hidden = !tour.offered;
  button.disabled = tour.running;
  button.textContent = tour.running ? `Tour: ${tour.number} of ${tour.total}` : tour.number ? "▶ Play it again" : "▶ Play the tour";
  const step = find("#tour-step");
  step.dataset.shown = tour.number + tour.title + tour.detail;
  step.hidden = !tour.title || step.dataset.shown === state.closed;
  step.classList.toggle("failed", tour.failed);
  step.firstElementChild.replaceChildren(tour.title, make("small", {}, tour.detail));
}

function side(open) {
  find("#app").classList.toggle("side-open", open);
  find("#open-side").setAttribute("aria-expanded", String(open));
}

find("#open-side").addEventListener("click", () => side(!find("#app").classList.contains("side-open")));
find("main").addEventListener("click", (event) => event.target.closest("#open-side") || side(false));
find("#tour").addEventListener("click", () => (goDown(), send({ do: "tour" })));
find("#tour-step button").addEventListener("click", () => {
  const step = find("#tour-step");
  state.closed = step.dataset.shown;
  step.hidden = true;
});
find("#newest").addEventListener("click", goDown);
find("#person").addEventListener("change", (event) => (side(false), look({ who: event.target.value })));
find("#locale").addEventListener("change", (event) => look({ locale: event.target.value }));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") (side(false), (find("#menu").hidden = true));
  // Who types anywhere in the channel writes a message.
  const types = [...event.key].length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (types && !event.target.closest("input, textarea, select, dialog, #menu, #command")) find("#words").focus();
});
connect();
