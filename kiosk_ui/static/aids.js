// What helps to see, read and hear; kept over a reload, forgotten with the visit. And night.
import { byId, el, svg } from "/static/dom.js";
import { hush, say } from "/static/speech.js";

const KEPT = "aids";
const ALONE_MS = 60_000;
const MINUTE_MS = 60_000;
const ICONS = {
  speak: "M4 9v6h4l5 4V5L8 9zM16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12",
  large: "M3 19L8.5 5 14 19M5 14.5h7M15.5 19l3-8 3 8M16.6 16.5h3.8",
  contrast: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 3v18M12 7h4M12 11h7M12 15h6M12 19h3",
  language: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM3 12h18M12 3c-6 6-6 12 0 18M12 3c6 6 6 12 0 18",
};

const aids = { large: false, contrast: false, speak: "" };
let visit = "";
let touched = 0;
let spoken = "";
let view = null;

export function start() {
  Object.assign(aids, JSON.parse(sessionStorage.getItem(KEPT) ?? "{}"));
  for (const name of ["large", "contrast"]) byId(name).addEventListener("click", () => set(name, !aids[name]));
  byId("speak").addEventListener("click", speakPressed);
  byId("more").addEventListener("click", further);
  document.addEventListener("pointerdown", () => { touched = performance.now(); });
  document.addEventListener("keydown", () => { touched = performance.now(); });
  document.addEventListener("scroll", overflow, true);
  window.addEventListener("resize", overflow);
  setInterval(minute, MINUTE_MS / 4);
  apply();
}

// A new view: its words in the bar, spoken where that is wanted; a visit that ended takes its aids along.
export function follow(now) {
  view = now;
  const words = now.labels.aid;
  for (const name of ["speak", "large", "contrast"]) label(name, words[name]);
  label("language", now.other_lang);
  byId("language").lang = now.lang === "zh" ? "en" : "zh";
  byId("more").textContent = `${words.more} ↓`;
  byId("aids").ariaLabel = words.tools;
  if (visit && !now.visit) forget();
  visit = now.visit;
  night();
  const text = [now.title, now.lead, now.banner || now.said].filter(Boolean).join("。");
  if (text !== spoken && speaks()) say(text, now.lang, Boolean(now.banner));
  spoken = text;
  requestAnimationFrame(overflow);
}

function label(name, text) {
  const button = byId(name);
  if (button.dataset.label === text) return;
  button.dataset.label = text;
  const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
  button.replaceChildren(icon, el("span", { textContent: text }));
}

// By day the steps of a visit are spoken; at night, and at the home page, only to those who ask.
function speaks() {
  if (aids.speak) return aids.speak === "on";
  return Boolean(view.visit) && !view.staff && !isNight();
}

function speakPressed() {
  aids.speak = speaks() ? "off" : "on";
  if (aids.speak === "on") say(spoken, view.lang, false);
  else hush();
  apply();
}

function set(name, value) {
  aids[name] = value;
  apply();
}

function apply() {
  const root = document.documentElement.dataset;
  root.large = aids.large ? "yes" : "no";
  root.contrast = aids.contrast ? "yes" : "no";
  for (const name of ["large", "contrast"]) byId(name).ariaPressed = String(aids[name]);
  byId("speak").ariaPressed = String(view ? speaks() : aids.speak === "on");
  sessionStorage.setItem(KEPT, JSON.stringify(aids));
  requestAnimationFrame(overflow);
}

function forget() {
  Object.assign(aids, { large: false, contrast: false, speak: "" });
  scrollTo(0, 0);
  apply();
}

// The hours are those of the place: the machine's own clock.
function isNight() {
  const { from, until } = view?.night ?? { from: 22, until: 7 };
  const hour = new Date().getHours();
  return from <= until ? from <= hour && hour < until : hour >= from || hour < until;
}

function night() {
  document.documentElement.dataset.night = isNight() ? "yes" : "no";
  byId("speak").ariaPressed = String(speaks());
}

function minute() {
  if (!view) return;
  night();
  if (!view.visit && performance.now() - touched > ALONE_MS && (aids.large || aids.contrast || aids.speak)) forget();
}

// Large type may need more than one screen: a button brings the rest, for fingers that know no scrolling.
function overflow() {
  const body = document.scrollingElement;
  byId("more").hidden = body.scrollHeight - body.clientHeight - body.scrollTop < 12;
}

function further() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scrollBy({ top: innerHeight * 0.7, behavior: calm ? "instant" : "smooth" });
}

