// The one keypad: codes shown 3-4-4 with their check digit, phone digits, PINs hidden; any digit can be put right.
import { el } from "/static/dom.js";

// Damm's quasigroup of order 10: a slip is shown while typing and never leaves this page.
const DAMM = [
  "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
  "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
];
// As a mobile number is written.
const GROUPS = { code: [3, 7], lost_phone: [3, 7] };
// Half a code that somebody left behind is nobody's business.
const FORGOTTEN_MS = 30_000;

export function checks(digits) {
  let state = 0;
  for (const digit of digits) state = Number(DAMM[state][Number(digit)]);
  return state === 0;
}

export class Keypad {
  // `send(kind, digits)` is called once the last digit is in, where the check digit agrees; what it returns
  // is waited for, and nothing is typed meanwhile.
  constructor(entry, labels, send) {
    Object.assign(this, { entry, labels, send, typed: "", caret: 0, busy: false });
    Object.assign(this, { until: performance.now() + entry.wait_s * 1000, touched: performance.now() });
    this.fixed = (entry.min ?? entry.length) === entry.length;
    this.digits = el("div", { className: this.fixed ? "digits" : "digits free", role: "group", ariaLabel: labels.digits });
    this.slip = el("p", { className: "slip-text", role: "status" });
    this.count = el("p", { className: "unseen", role: "status" });
    this.node = el("div", { className: "keys" });
    this.lay("digits");
    this.ok = entry.send ? el("button", { type: "button", className: "ok", textContent: entry.send, onclick: () => this.enter() }) : null;
    this.line = el("div", { className: "line" }, this.digits, ...(this.ok ? [this.ok] : []));
    this.entryNode = el("div", { className: "entry" }, this.line, this.slip, this.count);
    this.show();
  }

  // Digits; where letters may be typed as well, two further pages of keys as large as these.
  lay(page) {
    const key = (text, press, word = false) =>
      el("button", { type: "button", textContent: text, className: word ? "word" : "", onclick: press, dataset: { key: text } });
    const typed = (text) => [...text].map((each) => key(each, () => this.press(each)));
    const clear = key(this.labels.clear, () => this.set(""), true);
    const back = key(this.labels.backspace, () => this.back(), true);
    const to = (text, other) => key(text, () => this.lay(other), true);
    const pages = {
      digits: () => [...typed("123456789"), clear, ...typed("0"), back],
      first: () => [...typed("ABCDEFGHIJKLM"), to("N – Z", "second"), to(this.labels.numbers, "mixed"), back],
      second: () => [...typed("NOPQRSTUVWXYZ"), to("A – M", "first"), to(this.labels.numbers, "mixed"), back],
      mixed: () => [...typed("123"), back, ...typed("456"), clear, ...typed("789"), to(this.labels.letters, "first"), ...typed("0")],
    };
    const shown = this.entry.letters && page === "digits" ? "mixed" : page;
    this.keys = pages[shown]();
    this.node.className = this.entry.letters ? `keys four ${shown}` : "keys";
    this.node.replaceChildren(...this.keys);
  }

  press(digit) {
    if (this.waits() > 0 || this.busy || this.caret >= this.entry.length) return;
    const typed = this.typed.slice(0, this.caret) + digit + this.typed.slice(this.caret + 1);
    this.set(typed, this.caret + 1);
    if (this.typed.length === this.entry.length && !this.wrong()) this.enter();
  }

  // Away with the digit before the next place, or with the one that was pointed at.
  back() {
    if (this.busy) return;
    const at = this.caret === this.typed.length ? this.caret - 1 : this.caret;
    if (at >= 0) this.set(this.typed.slice(0, at) + this.typed.slice(at + 1), at);
  }

  // `set` and not `point`: what is typed, and where the next digit goes.
  set(typed, caret = typed.length) {
    if (this.busy) return;
    Object.assign(this, { typed, caret, touched: performance.now() });
    this.show();
  }

  async enter() {
    if (this.busy || this.waits() > 0 || this.wrong() || this.typed.length < (this.entry.min ?? this.entry.length)) return;
    this.busy = true;
    this.show();
    const heard = await this.send(this.entry.kind, this.typed);
    this.busy = false;
    // Nobody answered: what was typed is still there, and goes off again with the next key.
    this.set(heard ? "" : this.typed.slice(0, -1));
  }

  // A physical keyboard does the same.
  heard(event) {
    if (/^[0-9]$/.test(event.key)) this.press(event.key);
    else if (this.entry.letters && /^[A-Za-z-]$/.test(event.key)) this.press(event.key.toUpperCase());
    else if (event.key === "Backspace" || event.key === "Delete") this.back();
    else if (event.key === "Escape") this.set("");
    else if (event.key === "ArrowLeft") this.set(this.typed, Math.max(0, this.caret - 1));
    else if (event.key === "ArrowRight") this.set(this.typed, Math.min(this.typed.length, this.caret + 1));
    else if (event.key === "Enter" && !this.fixed && event.target.tagName !== "BUTTON") this.enter();
    else return false;
    return true;
  }

  wrong() {
    return this.entry.kind === "code" && this.typed.length === this.entry.length && !checks(this.typed);
  }

  waits() {
    return Math.max(0, Math.ceil((this.until - performance.now()) / 1000));
  }

  show() {
    const gaps = GROUPS[this.entry.kind] ?? [];
    const places = this.fixed ? this.entry.length : Math.min(this.entry.length, Math.max(this.typed.length + 1, 4));
    const cells = Array.from({ length: places }, (_, place) => this.cell(place, gaps.includes(place)));
    this.digits.replaceChildren(...cells);
    this.digits.classList.toggle("slip", this.wrong());
    this.digits.classList.toggle("busy", this.busy);
    this.count.textContent = this.labels.aid.typed.replace("{count}", this.typed.length).replace("{of}", this.entry.length);
    if (this.ok) this.ok.disabled = this.busy || this.typed.length < this.entry.min;
    this.tick();
  }

  // Pointed at, a digit is replaced by the next key. (The keyboard's arrows do that too: no stop of their own.)
  cell(place, gap) {
    const digit = this.typed[place];
    const shown = digit === undefined ? "\u00a0" : this.entry.kind.endsWith("pin") ? "●" : digit;
    const look = [digit === undefined ? "" : "filled", gap ? "gap" : "", place === this.caret ? "caret" : ""].join(" ");
    const name = this.labels.aid.digit.replace("{place}", place + 1);
    const heard = digit === undefined || this.entry.kind.endsWith("pin") ? name : `${name}: ${digit}`;
    const cell = el("button", { type: "button", className: look, tabIndex: -1, ariaLabel: heard });
    cell.append(el("span", { textContent: shown }));
    cell.addEventListener("click", () => this.set(this.typed, Math.min(place, this.typed.length)));
    return cell;
  }

  // Called every quarter of a second while the page shows this keypad.
  tick() {
    const waits = this.waits();
    for (const key of this.keys) key.disabled = waits > 0;
    const text = waits > 0 ? this.labels.wait.replace("{seconds}", waits)
      : this.busy ? this.labels.aid.checking
        : this.wrong() ? this.labels.slip : "";
    if (this.slip.textContent !== text) this.slip.textContent = text;
    if (this.entry.kind === "code" && this.typed && !this.busy && performance.now() - this.touched > FORGOTTEN_MS) this.set("");
  }
}
