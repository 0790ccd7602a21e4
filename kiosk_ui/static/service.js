// The technician's page: tiles of doors, a table of boards, pairs of facts. Words and figures come ready.
import { el } from "/static/dom.js";

const CONTENTS = { tiles, table, pairs };

export function service(view, press) {
  const { service: content } = view;
  const head = [];
  if (content.said) head.push(el("p", { className: "test-said", textContent: content.said }));
  if (content.progress) head.push(el("progress", { value: content.progress.done, max: content.progress.of }));
  if (content.troubles?.length) head.push(el("ul", { className: "troubles" }, ...content.troubles.map((text) => el("li", { textContent: text }))));
  return el("div", { className: "service" }, ...head, CONTENTS[content.kind](content, view, press));
}

function tiles(content, view, press) {
  return el("div", { className: "door-tiles" }, ...content.tiles.map((tile) => doorTile(tile, press)));
}

function doorTile(tile, press) {
  const lines = tile.lines.map((text) => el("span", { textContent: text }));
  const number = el("b", { textContent: tile.door });
  const className = `door-tile ${tile.look} ${tile.position}`;
  if (!tile.act) return el("div", { className }, number, el("span", { className: "lines" }, ...lines));
  return el(
    "button",
    { type: "button", className, dataset: { act: tile.act, key: `${tile.act}${tile.door}` }, onclick: () => press(tile.act, tile.data) },
    number,
    el("span", { className: "lines" }, ...lines),
  );
}

function table(content) {
  const head = el("tr", {}, ...content.head.map((text) => el("th", { scope: "col", textContent: text })));
  const rows = content.rows.map((row) => el("tr", { className: row.look }, ...row.cells.map((text) => el("td", { textContent: text }))));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}

function pairs(content, view) {
  const written = new Intl.DateTimeFormat(view.lang, { dateStyle: "medium", timeStyle: "medium", hour12: false });
  const parts = content.pairs.flatMap((pair) => [
    el("dt", { textContent: pair.label }),
    el("dd", { textContent: pair.time_ms ? written.format(pair.time_ms) : pair.value }),
  ]);
  return el("dl", {}, ...parts);
}
