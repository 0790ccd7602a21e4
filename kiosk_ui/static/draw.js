// Draws a view. Decides nothing: which words, which buttons, which picture is said by the view itself.
import { byId, el } from "/static/dom.js";
import { cabinet, face, sign } from "/static/pictures.js";
import { service } from "/static/service.js";

const GOES_IN = new Set(["place", "put_in", "put_back"]);
const ENTRY_SIGNS = { code: "scan", pin: "lock", second_pin: "lock" };
const COMES_OUT = new Set(["take", "take_out"]);

export function words(view) {
  byId("place").textContent = view.place;
  byId("help").textContent = view.help;
  byId("title").textContent = view.title;
  byId("lead").textContent = view.lead;
  byId("reference").textContent = view.reference;
  for (const name of ["banner", "said"]) {
    byId(name).textContent = view[name];
    byId(name).hidden = !view[name];
  }
  byId("facts").replaceChildren(...view.facts.flatMap((fact) => [
    el("dt", { textContent: fact.label }),
    el("dd", { textContent: fact.time_ms ? when(fact.time_ms, view.lang) : fact.value }),
  ]));
  byId("notices").replaceChildren(...view.notices.map((text) => el("li", { textContent: text })));
  next(view);
  byId("scanner").hidden = !view.scanner;
  byId("scan").placeholder = view.labels.scan_box;
  byId("scan").ariaLabel = view.labels.scan_box;
  byId("scan-send").textContent = view.labels.scan_send;
  byId("offline").textContent = view.labels.offline;
}

function next(view) {
  byId("next").hidden = !view.next;
  if (!view.next) return;
  const label = el("b", { textContent: view.labels.aid.next });
  byId("next").replaceChildren(label, el("span", { textContent: view.next }));
}

const when = (time, language) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", hour12: false }).format(time);

// How far the visit has come.
export function course(view) {
  const { at, of } = view.course ?? { at: 0, of: [] };
  byId("course").ariaLabel = view.labels.aid.course;
  byId("steps").replaceChildren(...of.map((text, place) => {
    const look = place < at ? "done" : place === at ? "here" : "";
    const step = el("li", { className: look }, el("i", { textContent: place < at ? "✓" : String(place + 1), ariaHidden: "true" }), el("span", { textContent: text }));
    if (place === at) step.ariaCurrent = "step";
    return step;
  }));
}

// What stands beside or under the words: a picture, the papers once more, the nearest lockers, five faces.
export function beside(view, press) {
  const parts = [];
  if (view.stage === "keypad" && !view.neighbours?.length) parts.push(sign(ENTRY_SIGNS[view.entry?.kind] ?? "phone"));
  if (view.papers.length && view.stage !== "papers") parts.push(papers(view));
  if (view.neighbours?.length) parts.push(neighbours(view));
  if (view.rating) parts.push(rating(view, press));
  byId("beside").replaceChildren(...parts);
}

const STAGES = {
  cabinet: (view) => doors(view),
  papers: (view) => papers(view),
  receipt: (view) => receipt(view),
  slip: (view) => slip(view),
  scan: () => sign("scan"),
  done: () => sign("done"),
  alert: () => sign("alert"),
  countdown: () => el("p", { className: "countdown", role: "timer" }),
  rows: (view, press) => el("div", { className: "rows" }, ...view.rows.map((row) => rowButton(row, press))),
  service: (view, press) => service(view, press),
  tiles: (view, press) => el("div", { className: "tiles" }, ...tiles(view, press)),
};

// The node of every stage but the keypad, which keeps what was typed and is made by the caller.
export function stage(view, press) {
  return STAGES[view.stage](view, press);
}

function doors(view) {
  const moves = GOES_IN.has(view.screen) ? "in" : COMES_OUT.has(view.screen) ? "out" : "";
  const text = view.door ? view.labels.aid.door_lit.replace("{door}", view.door) : view.labels.door;
  return cabinet(view.cabinet ?? [], view.door, moves, text);
}

function papers(view) {
  const lists = view.papers.flatMap((list) => [
    el("h2", { className: `${list.kind}-label` }, el("span", { textContent: list.label }), ...(list.until ? [el("small", { textContent: list.until })] : [])),
    el("ol", { className: list.kind === "deferred" ? "deferred" : "" }, ...list.names.map((name) => el("li", { textContent: name }))),
  ]);
  return el("div", { className: "papers" }, ...lists);
}

function receipt(view) {
  const { number, label, qr, time_ms: time, time_unsure: unsure, declared, photograph } = view.receipt;
  const made = time === null ? unsure : new Intl.DateTimeFormat(view.lang, { dateStyle: "long", timeStyle: "short", hour12: false }).format(time);
  const parts = [el("p", { textContent: label }), el("b", { textContent: number }), el("p", { textContent: [made, declared].filter(Boolean).join(" · ") })];
  if (qr) parts.unshift(el("img", { src: `/api/qr?visit=${view.visit}`, alt: photograph }), el("p", { textContent: photograph }));
  return el("div", { className: "receipt" }, ...parts);
}

// What a round took, by helper, and what it left.
function slip(view) {
  const { number, label, photograph, lists } = view.slip;
  const line = ({ case: title, what, note }) => el("li", {}, el("b", { textContent: title }), el("span", { textContent: what }), el("em", { textContent: note }));
  const parts = lists.flatMap((list) => [el("h2", { textContent: list.title }), el("ol", {}, ...list.lines.map(line))]);
  // It may be longer than the screen: the arrow keys scroll it.
  const frame = { className: "slip", tabIndex: 0, role: "region", ariaLabel: label };
  if (!number) return el("div", frame, ...parts);
  const code = el("img", { src: `/api/qr?visit=${view.visit}`, alt: photograph });
  const head = el("div", { className: "slip-head" }, code, el("p", {}, el("span", { textContent: label }), el("b", { textContent: number }), el("span", { textContent: photograph })));
  return el("div", frame, head, ...parts);
}

function neighbours(view) {
  return el("ol", { className: "neighbours" }, ...view.neighbours.map((each) =>
    el("li", {}, el("b", { textContent: each.name }), el("span", { textContent: each.far }), el("span", { textContent: each.room }))));
}

function rating(view, press) {
  const { title, grades, chosen, thanks } = view.rating;
  if (!grades.length) return el("p", { className: "rating-said", role: "status" }, ...(chosen ? [face(chosen)] : []), el("span", { textContent: thanks }));
  const faces = grades.map((grade) => el(
    "button",
    { type: "button", dataset: { act: grade.act, key: `rate${grade.data.grade}` }, onclick: () => press(grade.act, grade.data) },
    face(grade.data.grade),
    el("span", { textContent: grade.label }),
  ));
  return el("div", { className: "rating", role: "group", ariaLabel: title }, el("p", { textContent: title }), el("div", {}, ...faces));
}

function rowButton(row, press) {
  return el(
    "button",
    { type: "button", dataset: { act: row.act, key: `${row.act}${row.door}` }, onclick: () => press(row.act, row.data) },
    el("span", { className: "number", textContent: row.door }),
    el("span", { className: "what" }, el("b", { textContent: row.title }), el("span", { textContent: row.text })),
    el("span", { className: "note", textContent: row.note }),
    el("span", { className: "go", textContent: row.label }),
  );
}

function actButton(act, press) {
  const key = `${act.act}${JSON.stringify(act.data)}`;
  return el("button", {
    type: "button",
    className: act.look,
    textContent: act.label,
    dataset: { act: act.act, key },
    onclick: () => press(act.act, act.data),
  });
}

const tiles = (view, press) => view.acts.filter((act) => act.look === "tile").map((act) => actButton(act, press));

export function acts(view, press) {
  const shown = view.acts.filter((act) => act.look !== "tile");
  byId("acts").replaceChildren(...shown.map((act) => actButton(act, press)));
  byId("corner").replaceChildren(...(view.corner ?? []).map((act) => actButton(act, press)));
}

