// The one keypad: codes shown 3-4-4 with their check digit, phone digits, PINs hidden.
import { el } from "/static/dom.js";

// Damm's quasigroup of order 10: a slip is shown while typing and never leaves this page.
const DAMM = [
  "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
  "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
];

export function checks(digits) {
  let state = 0;
  for (const digit of digits) state = Number(DAMM[state][Number(digit)]);
  return state === 0;
}

export class Keypad {
  // `send(kind, digits)` is called once the last digit is in, where the check digit agrees.
  constructor(entry, labels, send) {
    Object.assign(this, { entry, labels, send, typed: "", until: performance.now() + entry.wait_s * 1000 });
    this.digits = el("div", { className: "digits" });
    this.digits.setAttribute("role", "status");
    this.slip = el("p", { className: "slip-text" });
    const key = (text, press, word = false) =>
      el("button", { type: "button", textContent: text, className: word ? "word" : "", onclick: press, dataset: { key: text } });
    this.keys = [..."123456789"].map((digit) => key(digit, () => this.press(digit)));
    this.keys.push(
      key(labels.clear, () => this.set(""), true),
      key("0", () => this.press("0")),
      key(labels.backspace, () => this.set(this.typed.slice(0, -1)), true),
    );
    this.node = el("div", { className: "keypad" }, this.digits, this.slip, el("div", { className: "keys" }, ...this.keys));
    this.show();
  }

  press(digit) {
    if (this.waits() > 0 || this.typed.length >= this.entry.length) return;
    this.set(this.typed + digit);
    if (this.typed.length === this.entry.length && !this.wrong()) this.send(this.entry.kind, this.typed);
  }

  set(typed) {
    this.typed = typed;
    this.show();
  }

  // A physical keyboard does the same.
  heard(event) {
    if (/^[0-9]$/.test(event.key)) this.press(event.key);
    else if (event.key === "Backspace") this.set(this.typed.slice(0, -1));
    else if (event.key === "Escape") this.set("");
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
    const gaps = this.entry.kind === "code" ? [3, 7] : [];
    const cells = Array.from({ length: this.entry.length }, (_, place) => {
      const digit = this.typed[place];
      const shown = digit === undefined ? "\u00a0" : this.entry.kind === "pin" ? "●" : digit;
      const look = [digit === undefined ? "" : "filled", gaps.includes(place) ? "gap" : ""].join(" ");
      return el("span", { textContent: shown, className: look });
    });
    this.digits.replaceChildren(...cells);
    this.digits.classList.toggle("slip", this.wrong());
    this.tick();
  }

  // Called every second while the page shows this keypad.
  tick() {
    const waits = this.waits();
    for (const key of this.keys) key.disabled = waits > 0;
    this.slip.textContent = waits > 0
      ? this.labels.wait.replace("{seconds}", waits)
      : this.wrong() ? this.labels.slip : "";
  }
}
