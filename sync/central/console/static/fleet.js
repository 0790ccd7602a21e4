// The fleet's table: kept up to date, sorted, sieved. Rows come drawn from the hub; nothing is drawn here.
"use strict";

const EVERY_MS = 1000;
const AFTER_FAILURE_MS = 5000;

const table = document.getElementById("fleet");
const body = table?.tBodies[0];
const sieve = document.getElementById("sieve");
const freshness = document.getElementById("freshness");
const order = { key: "locker", down: false };
let number = Number(table?.dataset.number);

function value(row, key) {
  const text = row.dataset[key] ?? "";
  return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

function compare(one, other) {
  const area = sieve.elements.group.checked ? one.dataset.area.localeCompare(other.dataset.area) : 0;
  if (area) return area;
  const [a, b] = [value(one, order.key), value(other, order.key)];
  const way = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return (order.down ? -way : way) || one.dataset.locker.localeCompare(other.dataset.locker);
}

function passes(row) {
  const { text, area, state, trouble } = sieve.elements;
  const wanted = text.value.trim().toLowerCase();
  if (wanted && !row.textContent.toLowerCase().includes(wanted)) return false;
  if (area.value && row.dataset.area !== area.value) return false;
  if (state.value && row.dataset.state !== state.value) return false;
  const { alarms, unsynced, full } = row.dataset;
  const healthy = row.dataset.state === "online" && !+alarms && !+unsynced && +full < +table.dataset.full;
  return !(trouble.checked && healthy);
}

function arrange() {
  const rows = [...body.rows].sort(compare);
  let shown = 0;
  let before = null;
  for (const row of rows) {
    row.hidden = !passes(row);
    row.classList.toggle("first", sieve.elements.group.checked && !row.hidden && row.dataset.area !== before);
    if (!row.hidden) [shown, before] = [shown + 1, row.dataset.area];
  }
  body.append(...rows);
  document.getElementById("shown").textContent = `${shown} / ${rows.length}`;
  for (const button of table.querySelectorAll("button.sort")) {
    const mine = button.dataset.key === order.key;
    button.closest("th").ariaSort = mine ? (order.down ? "descending" : "ascending") : "none";
  }
}

function drawn(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}

function put(told) {
  number = told.number;
  const names = Object.keys(told.rows);
  if (!names.length && told.beside === undefined) return;
  const known = new Map([...body.rows].map((row) => [row.dataset.locker, row]));
  const held = document.activeElement?.closest?.("tr")?.dataset.locker;
  for (const name of names) {
    const row = drawn(told.rows[name]).querySelector("tr");
    if (known.has(name)) known.get(name).replaceWith(row);
    else body.append(row);
  }
  if (told.beside !== undefined) document.getElementById("beside").replaceChildren(drawn(told.beside));
  arrange();
  // Whoever goes through the rows by keyboard stays where they are.
  if (held && names.includes(held)) body.querySelector(`tr[data-locker="${CSS.escape(held)}"] a`)?.focus();
}

function tell(lost) {
  const text = lost ? freshness.dataset.lost : freshness.dataset.live;
  if (freshness.textContent !== text) freshness.textContent = text;
  freshness.classList.toggle("lost", lost);
}

async function renew() {
  let wait = EVERY_MS;
  try {
    const answer = await fetch(`${table.dataset.changes}?live=1&since=${number}`, { redirect: "manual" });
    if (answer.type === "opaqueredirect") location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    put(await answer.json());
    tell(false);
  } catch {
    tell(true);
    wait = AFTER_FAILURE_MS;
  }
  setTimeout(renew, wait);
}

if (table) {
  table.tHead.addEventListener("click", (event) => {
    const key = event.target.closest("button.sort")?.dataset.key;
    if (!key) return;
    order.down = order.key === key && !order.down;
    order.key = key;
    arrange();
  });
  sieve.addEventListener("input", arrange);
  sieve.addEventListener("submit", (event) => event.preventDefault());
  arrange();
  tell(false);
  setTimeout(renew, EVERY_MS);
}
