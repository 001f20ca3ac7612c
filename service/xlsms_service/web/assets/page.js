// The pages of the service. Texts are only ever put in as text; nothing here makes markup from one.

const place = document.getElementById("page");
const STORE = "xlsms";
let session = null;

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const say = (name, facts = {}) =>
  (session.words[name] ?? name).replace(/\{(\w+)\}/g, (_, fact) => facts[fact] ?? "");
const figure = (number) => Number(number).toLocaleString(session.language);
const clock = (at) => new Date(at).toLocaleTimeString(session.language, { hour: "2-digit", minute: "2-digit" });
const day = (at) => new Date(at).toLocaleDateString(session.language, { weekday: "long", day: "numeric", month: "long" });
const moment = (at) => new Date(at).toLocaleString(session.language, { dateStyle: "medium", timeStyle: "short" });

// A text as signs: each character, and whether it is one that nobody sees.
function signs(text) {
  const made = [];
  let at = 0;
  const plain = (end) => { for (const character of text.slice(at, end)) made.push([character, false]); };
  for (const found of text.matchAll(new RegExp(session.hidden, "gu"))) {
    plain(found.index);
    made.push([found[0], true]);
    at = found.index + found[0].length;
  }
  plain(text.length);
  return made;
}

const code = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
const tag = (character) => el("span", { class: "tag" }, code(character));

// The same where no more than a line of plain text can stand.
const seen = (text) => signs(String(text ?? "")).map(([character, hidden]) => hidden ? code(character) : character).join("");

// A text from outside: what is hidden in it is seen, and it turns nothing around that stands beside it.
function told(text, bad = new Set()) {
  const line = el("bdi", {});
  let plain = "";
  signs(String(text ?? "")).forEach(([character, hidden], index) => {
    if (!hidden && !bad.has(index)) { plain += character; return; }
    line.append(plain);
    plain = "";
    const shown = hidden ? tag(character) : character;
    line.append(bad.has(index) ? el("mark", {}, shown) : shown);
  });
  line.append(plain);
  return line;
}

async function ask(path, body = {}) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${session?.key ?? ""}` },
    body: JSON.stringify(body),
  });
  if (answer.status === 204) return {};
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.message), { said });
  return said;
}

async function begin() {
  const ticket = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  try {
    if (ticket) {
      session = await ask("/page/open", { ticket });
      sessionStorage.setItem(STORE, JSON.stringify(session));
    } else session = JSON.parse(sessionStorage.getItem(STORE) ?? "null");
  } catch (error) {
    session = null;
    return over(error.said);
  }
  if (!session) return over();
  document.documentElement.lang = session.language;
  document.title = `${say(session.page)} – xlsms`;
  await (session.page === "preview" ? preview() : conversation()).catch((error) => over(error.said));
}

function over(said) {
  const spanish = navigator.language.startsWith("es");
  const title = said?.message ?? (spanish ? "Esta página ha caducado" : "This page has expired");
  const remedy = said?.remedy ?? (spanish ? "Ábrala de nuevo desde la hoja de cálculo." : "Open it again from the spreadsheet.");
  const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  place.replaceChildren(el("div", { class: "middle" },
    el("img", { src: "/assets/icon.svg", alt: "" }), el("h1", {}, upper(title)), el("p", {}, upper(remedy))));
}

let toasting = 0;
function toast(text) {
  document.querySelector(".toast")?.remove();
  const made = el("div", { class: "toast", role: "status" }, text);
  document.body.append(made);
  clearTimeout(toasting);
  toasting = setTimeout(() => made.remove(), 6000);
}

// Server-sent events by hand: EventSource cannot send a key.
async function follow(again) {
  let last = "";
  let due = 0;
  const soon = () => {
    due ||= setTimeout(async () => { due = 0; await again().catch(() => toast(say("away"))); }, 300);
  };
  for (;;) {
    try {
      const answer = await fetch("/page/events", {
        headers: { Authorization: `Bearer ${session.key}`, "Last-Event-ID": last },
      });
      if (answer.status === 401 || answer.status === 403) return over();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        rest += value;
        for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
          const id = /^id: (\d+)$/m.exec(rest.slice(0, end));
          if (id) { last = id[1]; soon(); }
        }
      }
    } catch { toast(say("away")); }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

// Preview.

const STEP = 300;

async function preview() {
  let plan = await ask("/page/plan");
  let only = plan.totals.problems + plan.totals.held > 0 && plan.rows.length > 30;
  let most = STEP;
  let drawn = false;
  const draw = () => {
    const focus = document.activeElement?.dataset?.name;
    place.replaceChildren(
      el("div", { class: "frame" }, heading("preview", plan.name), figures(plan), tabs(), rows()), foot());
    drawn = true;
    if (focus) document.querySelector(`[data-name="${CSS.escape(focus)}"]`)?.focus();
  };
  const tabs = () => el("div", { class: "bar" },
    el("div", { class: "tabs", role: "group" },
      ...[["all", false, plan.totals.rows], ["troubled", true, plan.totals.problems + plan.totals.held]].map(([name, on, count]) =>
        el("button", { type: "button", "data-name": name, "aria-pressed": String(only === on),
          onclick: () => { only = on; most = STEP; draw(); } }, `${say(name)} ${figure(count)}`))),
    plan.totals.hidden ? el("p", { class: "note" }, say("hidden", { count: figure(plan.totals.hidden) })) : "");
  const rows = () => {
    const chosen = plan.rows.filter((row) => !only || row.problem || row.held);
    if (!chosen.length) return el("div", { class: "list" }, el("p", { class: "empty" }, say(only ? "no_trouble" : "no_rows")));
    const several = new Set(plan.rows.map((row) => row.sheet)).size > 1;
    const shown = chosen.slice(0, most).map((row) => line(row, several));
    const left = chosen.length - shown.length;
    return el("div", { class: drawn ? "list" : "list fresh" },
      el("div", { class: "head", "aria-hidden": "true" }, el("span", {}, say("row")), el("span", {}, say("number")),
        el("span", {}, say("text")), el("span", { class: "cost" }, say("sms"))),
      ...shown,
      left > 0 ? el("button", { class: "more", type: "button", onclick: () => { most += STEP; draw(); } },
        say("more", { count: figure(Math.min(left, STEP)) })) : "");
  };
  const foot = () => {
    const count = plan.totals.go;
    const open = plan.stage === "open";
    const label = plan.stage === "approved" ? say("sent_title") : plan.stage === "wanted" ? say("sending")
      : !count ? say("nothing") : count === 1 ? say("send_one") : say("send_many", { count: figure(count) });
    const send = el("button", { class: "primary", type: "button", "data-name": "send", disabled: !open || !count,
      onclick: async () => {
        send.disabled = true;
        try { await ask("/page/approve", { hash: plan.hash }); plan = { ...plan, stage: "wanted" }; draw(); }
        catch (error) { toast(error.said ? `${error.said.message}. ${error.said.remedy}` : say("away")); send.disabled = false; }
      } }, label);
    const left = plan.withdrawn ? el("p", { class: "stopped" },
      plan.withdrawn === 1 ? say("withdrawn_one") : say("withdrawn_many", { count: figure(plan.withdrawn) })) : "";
    const note = plan.stage === "changed" ? say("changed") : plan.stage === "open" ? say("frozen")
      : plan.stage === "wanted" ? say("wanted") : plan.states.map(([word, number]) => `${word} ${figure(number)}`).join(" · ");
    const stopped = plan.stopped && plan.totals.go ? el("p", { class: "stopped" }, say("stopped")) : "";
    return el("div", { class: "foot" }, el("div", {}, stopped, left, el("p", {}, note), send));
  };
  draw();
  await follow(async () => {
    const now = await ask("/page/stage");
    const told = ({ stage, stopped, withdrawn, states }) => JSON.stringify([stage, stopped, withdrawn, states]);
    if (plan.stage !== "changed" && told(now) !== told(plan)) {
      plan = { ...plan, ...now };
      draw();
    }
  });
}

function heading(name, below) {
  return el("header", {}, el("img", { src: "/assets/icon.svg", alt: "" }),
    el("div", {}, el("h1", {}, say(name)), el("p", {}, told(below))));
}

function figures({ totals }) {
  const one = (value, name, colour) => el("li", { class: colour }, el("b", {}, value), el("span", {}, name));
  const list = [one(figure(totals.go), say("go"), "green"), one(figure(totals.parts), say("sms"), "")];
  if (totals.cost !== null) {
    const cost = Number(totals.cost).toLocaleString(session.language, { minimumFractionDigits: 2, maximumFractionDigits: 4 });
    list.push(one(cost, totals.unpriced ? `${say("cost")} · ${say("unpriced", { count: figure(totals.unpriced) })}` : say("cost"), ""));
  }
  if (totals.scheduled) list.push(one(figure(totals.scheduled), say("scheduled"), "blue"));
  if (totals.held) list.push(one(figure(totals.held), say("held"), "amber"));
  if (totals.problems) list.push(one(figure(totals.problems), say("problems"), "red"));
  if (totals.earlier) list.push(one(figure(totals.earlier), say("earlier"), "blue"));
  if (totals.again) list.push(one(figure(totals.again), say("again"), "amber"));
  return el("ul", { class: "figures" }, ...list);
}

function line(row, several) {
  const trouble = row.problem ?? row.held;
  const extra = [...new Set(row.culprits.map(([, character]) => character))];
  return el("div", {},
    el("span", { class: "where" }, el("span", { class: "narrow" }, `${say("row")} `),
      several ? told(`${row.sheet} · ${row.row}`) : String(row.row)),
    el("span", { class: "to" }, told(row.number ?? "–"), ...row.repairs.map((repair) => el("small", {}, told(repair))),
      row.sender ? el("small", {}, told(row.sender)) : ""),
    el("span", { class: "body" }, told(row.text, new Set(row.culprits.map(([index]) => index))),
      row.send_at ? el("small", {}, say("at_time", { time: moment(row.send_at) })) : "",
      extra.length ? el("small", {}, told(say("expensive", { characters: extra.slice(0, 12).join(" ") }))) : ""),
    el("span", { class: "cost" }, row.parts.length ? say("parts", { count: row.parts.length }) : "",
      row.cost !== null ? el("small", {}, Number(row.cost).toLocaleString(session.language, { maximumFractionDigits: 4 })) : ""),
    trouble ? why(row, trouble) : row.earlier ? remark("blue", say("already", { state: row.earlier_label }))
      : row.again ? remark("amber", say("once_more", { state: row.again_label })) : "");
}

function remark(colour, text) {
  return el("div", { class: `why ${colour}` }, el("p", {}, el("strong", {}, text)));
}

function why(row, trouble) {
  const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  return el("div", { class: row.problem ? "why" : "why amber" },
    el("p", {}, el("strong", {}, told(upper(trouble.message))), trouble.remedy ? told(`. ${upper(trouble.remedy)}.`) : ".", " ",
      el("code", {}, trouble.code)),
    el("button", { class: "link", type: "button", "data-name": `${row.sheet}!${row.row}`,
      onclick: async () => {
        try {
          const column = trouble.place?.column ?? null;
          await ask("/page/show", { sheet: row.sheet, row: row.row, row_id: row.row_id, column });
          toast(say("shown_in"));
        } catch (error) { toast(error.said ? `${error.said.message}. ${error.said.remedy}` : say("away")); }
      } }, say("to_cell")));
}

// Conversation.

const COLOURS = { delivered: "green", failed: "red", expired: "red", uncertain: "amber", held: "amber", cancelled: "amber" };

async function conversation() {
  let key = "", meant = ""; // the same text again is the same message, as its first answer may have been lost
  const texts = el("div", {});
  const box = el("textarea", { id: "answer", rows: "1", placeholder: say("answer"), maxlength: "2000" });
  const send = el("button", { class: "primary", type: "button" }, say("send"));
  const title = el("p", {});
  let known = 0;
  const submit = async () => {
    const text = box.value.trim();
    if (!text || send.disabled) return;
    send.disabled = true;
    if (text !== meant) [key, meant] = [crypto.randomUUID(), text];
    try {
      await ask("/page/reply", { text, key });
      meant = "";
      if (box.value.trim() === text) box.value = ""; // what was typed meanwhile is the next one
      await draw();
    }
    catch (error) { toast(error.said ? `${error.said.message}. ${error.said.remedy}` : say("away")); }
    send.disabled = false;
    box.focus();
  };
  send.addEventListener("click", submit);
  box.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(); });
  const draw = async () => {
    const said = await ask("/page/conversation");
    title.replaceChildren(told(said.number));
    const bottom = innerHeight + scrollY >= document.body.scrollHeight - 80;
    let before = "";
    texts.replaceChildren(...said.texts.flatMap((text, at) => {
      const today = day(text.at);
      const head = today === before ? [] : [el("div", { class: "day" }, today)];
      before = today;
      return [...head, bubble(text, at >= known)];
    }));
    known = said.texts.length;
    if (!said.texts.length) texts.append(el("p", { class: "empty" }, say("no_texts")));
    if (bottom) scrollTo(0, document.body.scrollHeight);
  };
  place.replaceChildren(
    el("div", { class: "frame talk" }, el("header", {}, el("img", { src: "/assets/icon.svg", alt: "" }),
      el("div", {}, el("h1", {}, say("conversation")), title)), texts),
    el("div", { class: "foot" }, el("div", { class: "talk" },
      el("label", { for: "answer" }, say("answer")), box, send, el("p", { class: "hint" }, say("close_hint")))));
  await draw();
  scrollTo(0, document.body.scrollHeight);
  box.focus();
  await follow(draw);
}

function bubble(text, fresh) {
  const from = [text.workbook, text.sheet].filter(Boolean).join(" · ");
  const below = [clock(text.at), text.mine ? text.label : "", from].filter(Boolean).join(" · ");
  return el("div", { class: `said${text.mine ? " mine" : ""}${fresh ? " fresh" : ""}` }, el("p", {}, told(text.text)),
    el("small", { class: text.mine ? COLOURS[text.state] ?? "" : "", title: seen(text.detail) }, told(below)));
}

begin();
