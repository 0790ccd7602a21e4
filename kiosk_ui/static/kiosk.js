// The page: shows the newest view, posts presses, and keeps nothing that a reload could lose but typed digits.
import * as aids from "/static/aids.js";
import { live } from "/static/alive.js";
import * as draw from "/static/draw.js";
import { byId, el } from "/static/dom.js";
import { Keypad } from "/static/keypad.js";
import { still } from "/static/still.js";

const OFFLINE_AFTER_MS = 2000;
const COVERED_MS = 90_000;
const ANSWER_WITHIN_MS = 10_000;
const ALIVE_EVERY_MS = 10_000;

let shown = { rev: 0, screen: "" };
let shownAt = 0;
let keypad = null;
let drawn = "";
const parts = {};
let offline = 0;
let last = Promise.resolve();
let begin = null;
const begun = new Promise((done) => { begin = done; });

// One press after the other. A press is meant for the page it was made on: where that has changed while an
// earlier one was under way, it is dropped.
function post(path, body) {
  const { screen, visit, boot } = shown;
  // Pressed before the first view came: it waits for that.
  const meant = () => !boot || (shown.screen === screen && shown.visit === visit);
  const then = last.then(() => begun).then(() => (meant() ? send(path, body) : null));
  last = then;
  return then;
}

// What is posted is for the daemon that drew this page: one that was started since does not take it.
const heading = () => ({ "content-type": "application/json", "x-kiosk-boot": shown.boot ?? "" });

async function send(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: heading(),
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    // Refused as out of place: things have moved on, so look again.
    show(answer.ok ? await answer.json() : await (await fetch("/api/view")).json());
    return true;
  } catch {
    // The daemon is away: the event stream says so, and brings the view once it is back.
    return false;
  }
}

const press = (act, data = {}) => post("/api/act", { act, visit: shown.visit, ...data });

function entered(kind, digits) {
  return kind === "code" ? post("/api/code", { typed: digits }) : press(kind, { digits });
}

export function show(view) {
  // A restarted daemon counts its views anew.
  if (view.boot === shown.boot && view.rev <= shown.rev) return;
  const moved = view.screen !== shown.screen || view.visit !== shown.visit;
  const answered = JSON.stringify(view.refused) !== JSON.stringify(shown.refused) || view.visit !== shown.visit;
  shown = view;
  shownAt = performance.now();
  begin();
  ask(view.ask);
  // Countdowns run here; a view that differs in them alone is not drawn again.
  const { rev, ask: asked, ready_in_ms: ready, warn_in_ms: warn, left_ms: left, ...rest } = view;
  const text = JSON.stringify(rest);
  if (text !== drawn) redraw(view, moved, answered);
  drawn = text;
  aids.follow(view);
  tick();
}

function redraw(view, moved, answered) {
  const focused = document.activeElement?.dataset?.key;
  document.documentElement.lang = view.lang;
  document.body.dataset.screen = view.screen;
  document.body.dataset.stage = view.stage;
  draw.words(view);
  if (differs("course", [view.course, view.lang])) draw.course(view);
  // A button that is put anew under a finger loses its press: figures that move leave the rest alone.
  if (differs("acts", [view.screen, view.acts, view.corner])) draw.acts(view, press);
  const { rating, neighbours, papers, stage, screen, lang, facts } = view;
  if (differs("beside", [rating, neighbours, papers, stage, screen, lang, facts.length])) draw.beside(view, press);
  if (view.stage === "keypad") drawKeypad(view, moved || answered);
  else drawStage(view);
  if (moved) byId("title").focus({ preventScroll: true });
  else if (focused) document.querySelector(`[data-key='${CSS.escape(focused)}']`)?.focus();
}

function drawKeypad(view, anew) {
  if (!differs("keypad", [view.entry, view.lang, view.visit]) && !anew) return;
  const same = keypad !== null && !anew && keypad.entry.kind === view.entry.kind;
  const { typed, caret } = same ? keypad : { typed: "", caret: 0 };
  keypad = new Keypad(view.entry, view.labels, entered);
  keypad.set(typed, caret);
  delete parts.stage;
  byId("entry").replaceChildren(keypad.entryNode);
  byId("stage").replaceChildren(keypad.node);
}

function drawStage(view) {
  keypad = null;
  delete parts.keypad;
  byId("entry").replaceChildren();
  const { screen, visit, lang, stage, acts, rows, door, cabinet, papers, receipt, slip, service, labels } = view;
  const stood = [screen, visit, lang, stage, acts, rows, door, cabinet, papers, receipt, slip, service, labels.door];
  if (differs("stage", stood)) byId("stage").replaceChildren(draw.stage(view, press));
}

// Whether a part of the page is to be drawn anew.
function differs(part, now) {
  const text = JSON.stringify(now);
  const changed = parts[part] !== text;
  parts[part] = text;
  return changed;
}

function ask(asked) {
  const dialog = byId("ask");
  if (!asked) {
    dialog.close();
    return;
  }
  dialog.querySelector("h2").textContent = asked.title;
  dialog.querySelector("p").textContent = asked.lead;
  const button = (act, label, look) => el("button", { type: "button", className: look, textContent: label, onclick: () => press(act) });
  dialog.querySelector("div").replaceChildren(
    button("stay", asked.stay, "primary"),
    button(shown.staff ? "sign_out" : "leave", asked.leave, "plain"),
  );
  if (!dialog.open) dialog.showModal();
}

// What moves with the seconds: the keypad's pause, a lock's rest, a door that stands open, the question.
function tick() {
  const passed = performance.now() - shownAt;
  keypad?.tick();
  const again = byId("acts").querySelector("[data-act=again]");
  if (again) again.disabled = passed < shown.ready_in_ms;
  const warn = shown.warn_in_ms;
  document.body.classList.toggle("urgent", warn !== null && warn !== undefined && passed >= warn);
  const countdown = document.querySelector(".countdown");
  if (countdown) countdown.textContent = Math.max(0, Math.ceil(shown.refused.wait_s - passed / 1000));
  left(passed);
  // Nobody ends a visit while the daemon is away: after the time that it would have lasted, it is covered.
  document.body.dataset.covered = shown.visit && !byId("offline").hidden && passed > COVERED_MS ? "yes" : "no";
  if (shown.ask) byId("ask").querySelector("meter").value = Math.max(0, 1 - passed / shown.ask.ends_in_ms);
}

// How long is left: in whole minutes, then in steps of five seconds, so that it tells and does not drive.
function left(passed) {
  const { left_ms: all, labels, warn_in_ms: warn } = shown;
  const node = byId("left");
  if (!labels) return;
  const known = all !== null && all !== undefined && !shown.ask;
  const seconds = known ? Math.max(0, Math.ceil((all - passed) / 5000) * 5) : 0;
  const long = seconds > 90;
  const time = (long ? labels.aid.minutes : labels.aid.seconds).replace("{minutes}", Math.ceil(seconds / 60)).replace("{seconds}", seconds);
  const open = warn !== null && warn !== undefined;
  const text = known && seconds ? (open ? labels.aid.left_open : labels.aid.left).replace("{time}", time) : "";
  if (node.textContent !== text) node.textContent = text;
}

document.addEventListener("keydown", (event) => {
  if (event.target.id === "scan" || event.ctrlKey || event.altKey || event.metaKey || byId("ask").open) return;
  if (keypad?.heard(event)) event.preventDefault();
  else if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
    byId("acts").querySelector(".primary:not(:disabled)")?.click();
  }
});
// Typing posts nothing until the last digit: fingers at work are a sign of life all the same.
let alive = 0;
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => {
    if (!shown.visit || shown.ask || performance.now() - alive < ALIVE_EVERY_MS) return;
    alive = performance.now();
    const body = JSON.stringify({ act: "stay", visit: shown.visit });
    fetch("/api/act", { method: "POST", headers: heading(), body }).catch(() => {});
  });
}
byId("ask").addEventListener("cancel", (event) => event.preventDefault());
byId("language").addEventListener("click", () => press("language", { lang: document.documentElement.lang === "zh" ? "en" : "zh" }));
byId("scanner").addEventListener("submit", (event) => {
  event.preventDefault();
  const scanned = byId("scan").value.replace(/\s/g, "");
  byId("scan").value = "";
  byId("scan").blur();
  if (scanned) post("/api/code", { scanned });
});

function listen() {
  const events = new EventSource("/api/events");
  events.addEventListener("open", () => {
    clearTimeout(offline);
    offline = 0;
    byId("offline").hidden = true;
  });
  events.addEventListener("view", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    offline ||= setTimeout(() => { byId("offline").hidden = false; }, OFFLINE_AFTER_MS);
    if (events.readyState === EventSource.CLOSED) {
      events.close();
      setTimeout(listen, OFFLINE_AFTER_MS);
    }
  });
}

still();
aids.start();
setInterval(tick, 250);
listen();
// Not before it has shown what this daemon says.
begun.then(() => live(heading));
document.body.dataset.ready = "yes";
