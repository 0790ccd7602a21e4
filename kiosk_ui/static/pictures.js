// The cabinet as it stands in front of the person, and a few signs.
import { svg } from "/static/dom.js";

const WIDTH = 120;
const HEIGHT = 84;
const GAP = 8;
const MAP_HEIGHT = 44;

// Doors where the configuration draws them; `lit` is the number of the visitor's own, `moves` which way the
// papers go: "in", "out" or "". In a row of cabinets theirs is drawn large, with a map of the row above it.
export function cabinet(doors, lit, moves, label) {
  const names = [...new Set(doors.map((door) => door.cabinet))];
  const mine = doors.find((door) => door.n === lit);
  const near = names.length > 1 && mine ? doors.filter((door) => door.cabinet === mine.cabinet) : doors;
  const top = names.length > 1 && mine ? MAP_HEIGHT + GAP : 0;
  const row0 = Math.min(...near.map((door) => door.row));
  const column0 = Math.min(...near.map((door) => door.column));
  const width = (Math.max(...near.map((door) => door.column)) - column0 + 1) * (WIDTH + GAP) + GAP;
  const height = (Math.max(...near.map((door) => door.row)) - row0 + 1) * (HEIGHT + GAP) + GAP;
  const placed = near.map((door) => ({
    ...door,
    x: 2 * GAP + (door.column - column0) * (WIDTH + GAP),
    y: top + 2 * GAP + (door.row - row0) * (HEIGHT + GAP),
  }));
  const parts = [svg("rect", { class: "frame", x: GAP, y: top + GAP, width, height, rx: 10 })];
  parts.push(...placed.filter((door) => door.n !== lit).map(leaf));
  // The visitor's own door last: its light lies over its neighbours.
  parts.push(...placed.filter((door) => door.n === lit).map((door) => own(door, moves)));
  if (top) parts.push(...map(names, mine.cabinet, width));
  const picture = svg("svg", { class: "cabinet", viewBox: `0 0 ${width + 2 * GAP} ${top + height + 2 * GAP}`, role: "img" }, ...parts);
  picture.setAttribute("aria-label", label);
  return picture;
}

// The row of cabinets as one stands before it, theirs lit.
function map(names, theirs, width) {
  const each = width / names.length;
  return names.map((name, place) => {
    const box = svg("rect", { x: GAP + place * each + 3, y: GAP, width: each - 6, height: MAP_HEIGHT - GAP, rx: 5 });
    const text = number(name, GAP + (place + 0.5) * each, GAP + (MAP_HEIGHT - GAP) / 2, 24);
    return svg("g", { class: name === theirs ? "door here" : "door" }, box, text);
  });
}

function leaf({ x, y, n, position }) {
  const group = svg("g", { class: `door ${position}`, "data-door": n });
  group.append(svg("rect", { x, y, width: WIDTH, height: HEIGHT, rx: 6 }));
  if (position === "open") group.append(swung(x, y));
  group.append(number(n, x + WIDTH / 2 + (position === "open" ? 14 : 0), y + HEIGHT / 2, 22));
  return group;
}

// Swung out towards the viewer, hinged on the left.
const swung = (x, y) => svg("path", { class: "leaf", d: `M${x} ${y}l34 10v${HEIGHT - 6}l-34 -4z` });

function own({ x, y, n, position }, moves) {
  const group = svg("g", { class: `door ${position} mine`, "data-door": n });
  group.append(svg("rect", { class: "halo", fill: "none", x: x - 4, y: y - 4, width: WIDTH + 8, height: HEIGHT + 8, rx: 10 }));
  group.append(svg("rect", { x, y, width: WIDTH, height: HEIGHT, rx: 6 }));
  if (position === "open") group.append(swung(x, y));
  const middle = x + WIDTH / 2 + (position === "open" ? 16 : 0);
  group.append(number(n, middle, y + HEIGHT / 2 + (moves ? -16 : 0), moves ? 40 : 48));
  if (moves) group.append(envelope(middle, y + HEIGHT - 22, moves));
  return group;
}

function number(n, x, y, size) {
  const text = svg("text", { x, y, "font-size": size });
  text.textContent = n;
  return text;
}

// An envelope and the way it goes.
function envelope(x, y, moves) {
  const way = moves === "in" ? "M26 0h24m-8 -7l-9 7l9 7" : "M26 0h24m-7 -7l8 7l-8 7";
  const shape = svg("path", { class: "envelope", d: "M-18 -12h36v24h-36z" });
  const flap = svg("path", { class: "envelope", d: "M-18 -12l18 14l18 -14" });
  const arrow = svg("path", { class: "way", d: way });
  const moving = svg("g", { class: `papers-${moves}` }, shape, flap, arrow);
  return svg("g", { transform: `translate(${x - 12} ${y})` }, moving);
}

const SIGNS = {
  scan: () => [
    svg("rect", { class: "stroke", x: 62, y: 14, width: 116, height: 212, rx: 18 }),
    svg("path", { class: "stroke", d: "M106 208h28" }),
    svg("path", { class: "fill", d: "M82 68h26v26h-26zM132 68h26v26h-26zM82 118h26v26h-26zM132 118h12v12h-12zM146 132h12v12h-12zM114 74h10v10h-10zM114 100h10v10h-10zM134 102h10v10h-10zM86 102h10v10h-10z" }),
    svg("path", { class: "stroke", d: "M20 60V36h24M220 60V36h-24M20 160v24h24M220 160v24h-24" }),
    svg("path", { class: "beam", d: "M36 108h168" }),
  ],
  phone: () => [
    svg("rect", { class: "stroke", x: 66, y: 10, width: 108, height: 220, rx: 18 }),
    svg("path", { class: "stroke", d: "M106 212h28" }),
    ...[0, 1, 2].map((n) => svg("circle", { class: "dot", cx: 96 + n * 24, cy: 62, r: 6 })),
    ...[0, 1, 2, 3].map((n) => svg("circle", { class: "dot", cx: 87 + n * 22, cy: 94, r: 6 })),
    ...[0, 1, 2, 3].map((n) => svg("rect", { class: "fill", x: 78 + n * 22, y: 122, width: 18, height: 30, rx: 4 })),
    svg("path", { class: "beam still", d: "M76 166h88" }),
  ],
  lock: () => [
    svg("rect", { class: "stroke", x: 48, y: 104, width: 144, height: 112, rx: 16 }),
    svg("path", { class: "stroke", d: "M78 104V74a42 42 0 0 1 84 0v30M120 150v26" }),
    svg("circle", { class: "fill", cx: 120, cy: 148, r: 12 }),
  ],
  done: () => [svg("circle", { cx: 120, cy: 120, r: 104 }), svg("path", { d: "M74 124l34 34 62-70" })],
  alert: () => [svg("circle", { cx: 120, cy: 120, r: 104 }), svg("path", { d: "M120 66v66M120 172v2" })],
};

export function sign(name) {
  return svg("svg", { class: `picture ${name}`, viewBox: "0 0 240 240", "aria-hidden": "true" }, ...SIGNS[name]());
}

const MOUTHS = { 5: "M28 56q22 26 44 0", 4: "M30 60q20 14 40 0", 3: "M32 64h36", 2: "M30 70q20 -14 40 0", 1: "M28 74q22 -26 44 0" };

// Five grades, from 1 for the worst; told apart by shape, not by colour.
export function face(grade) {
  const eye = (cx) => svg("circle", { class: "eye", cx, cy: 38, r: 5 });
  const mouth = svg("path", { class: "mouth", d: MOUTHS[grade] });
  return svg("svg", { class: "face", viewBox: "0 0 100 100", "aria-hidden": "true" }, svg("circle", { class: "head", cx: 50, cy: 50, r: 44 }), eye(35), eye(65), mouth);
}
