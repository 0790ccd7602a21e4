// Draws a view. Decides nothing: which words, which buttons, which picture is said by the view itself.
import { byId, el } from "/static/dom.js";
import { cabinet, sign } from "/static/pictures.js";
import { service } from "/static/service.js";

export function words(view) {
  byId("place").textContent = view.place;
  byId("help").textContent = view.help;
  byId("language").textContent = view.other_lang;
  byId("title").textContent = view.title;
  byId("lead").textContent = view.lead;
  byId("reference").textContent = view.reference;
  for (const name of ["banner", "said"]) {
    byId(name).textContent = view[name];
    byId(name).hidden = !view[name];
  }
  const facts = view.facts.flatMap((fact) => [el("dt", { textContent: fact.label }), el("dd", { textContent: fact.value })]);
  byId("facts").replaceChildren(...facts);
  byId("notices").replaceChildren(...view.notices.map((text) => el("li", { textContent: text })));
  byId("words").querySelector(":scope > .picture, :scope > .papers")?.remove();
  if (view.papers.length && view.stage !== "papers") byId("facts").after(papers(view));
  if (view.screen === "home") byId("facts").before(sign("scan"));
  byId("scanner").hidden = !view.scanner;
  byId("scan").placeholder = view.labels.scan_box;
  byId("scan").ariaLabel = view.labels.scan_box;
  byId("scan-send").textContent = view.labels.scan_send;
  byId("offline").textContent = view.labels.offline;
}

const STAGES = {
  cabinet: (view) => cabinet(view.cabinet, view.door, view.labels.door),
  papers: (view) => papers(view),
  receipt: (view) => receipt(view),
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

function papers(view) {
  const lists = view.papers.flatMap((list) => [
    el("h2", { className: `${list.kind}-label`, textContent: list.label }),
    el("ol", { className: list.kind === "deferred" ? "deferred" : "" }, ...list.names.map((name) => el("li", { textContent: name }))),
  ]);
  return el("div", { className: "papers" }, ...lists);
}

function receipt(view) {
  const { number, label, qr, time_ms: time, time_unsure: unsure, declared, photograph } = view.receipt;
  const when = time === null ? unsure : new Intl.DateTimeFormat(view.lang, { dateStyle: "long", timeStyle: "short", hour12: false }).format(time);
  const parts = [el("p", { textContent: label }), el("b", { textContent: number }), el("p", { textContent: [when, declared].filter(Boolean).join(" · ") })];
  if (qr) parts.unshift(el("img", { src: `/api/qr?visit=${view.visit}`, alt: photograph }), el("p", { textContent: photograph }));
  return el("div", { className: "receipt" }, ...parts);
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
}
