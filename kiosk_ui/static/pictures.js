// The cabinet as it stands in front of the person, and a few signs.
import { svg } from "/static/dom.js";

const WIDTH = 120;
const HEIGHT = { S: 84, M: 84, L: 84 };
const GAP = 8;

// Doors where the configuration draws them; `lit` is the number of the visitor's own.
export function cabinet(doors, lit, label) {
  const names = [...new Set(doors.map((door) => door.cabinet))];
  let left = GAP;
  let bottom = 0;
  const parts = [];
  for (const name of names) {
    const mine = doors.filter((door) => door.cabinet === name);
    const row0 = Math.min(...mine.map((door) => door.row));
    const column0 = Math.min(...mine.map((door) => door.column));
    const columns = Math.max(...mine.map((door) => door.column)) - column0 + 1;
    const rows = Math.max(...mine.map((door) => door.row)) - row0 + 1;
    const width = columns * (WIDTH + GAP) + GAP;
    const height = rows * (HEIGHT.S + GAP) + GAP;
    parts.push(svg("rect", { class: "frame", x: left, y: GAP, width, height, rx: 10 }));
    const placed = mine.map((door) => ({
      ...door,
      x: left + GAP + (door.column - column0) * (WIDTH + GAP),
      y: 2 * GAP + (door.row - row0) * (HEIGHT.S + GAP),
    }));
    // The visitor's own door last: its light lies over its neighbours.
    placed.sort((a, b) => (a.n === lit) - (b.n === lit));
    parts.push(...placed.map((door) => leaf(door, door.n === lit)));
    left += width + 2 * GAP;
    bottom = Math.max(bottom, height + 2 * GAP);
  }
  const picture = svg("svg", { class: "cabinet", viewBox: `0 0 ${left - GAP} ${bottom}`, role: "img" }, ...parts);
  picture.setAttribute("aria-label", `${label} ${lit ?? ""}`);
  return picture;
}

function leaf(door, mine) {
  const { x, y, n, position } = door;
  const h = HEIGHT[door.size];
  const group = svg("g", { class: `door ${position} ${mine ? "mine" : ""}`, "data-door": n });
  if (mine) group.append(svg("rect", { class: "halo", x: x - 4, y: y - 4, width: WIDTH + 8, height: h + 8, rx: 10 }));
  group.append(svg("rect", { x, y, width: WIDTH, height: h, rx: 6 }));
  if (mine) group.firstChild.setAttribute("fill", "none");
  if (position === "open") {
    // Swung out towards the viewer, hinged on the left.
    const out = 34;
    group.append(svg("path", { class: "leaf", d: `M${x} ${y}l${out} 10v${h - 6}l-${out} -4z` }));
  }
  const number = svg("text", { x: x + WIDTH / 2 + (position === "open" ? 14 : 0), y: y + h / 2 });
  number.textContent = n;
  group.append(number);
  return group;
}

const SIGNS = {
  scan: () => [
    svg("rect", { class: "stroke", x: 62, y: 14, width: 116, height: 212, rx: 18 }),
    svg("path", { class: "stroke", d: "M106 208h28" }),
    svg("path", { class: "fill", d: "M82 68h26v26h-26zM132 68h26v26h-26zM82 118h26v26h-26zM132 118h12v12h-12zM146 132h12v12h-12zM114 74h10v10h-10zM114 100h10v10h-10zM134 102h10v10h-10zM86 102h10v10h-10z" }),
    svg("path", { class: "stroke", d: "M20 60V36h24M220 60V36h-24M20 160v24h24M220 160v24h-24" }),
    svg("path", { class: "beam", d: "M36 108h168" }),
  ],
  done: () => [svg("circle", { cx: 120, cy: 120, r: 104 }), svg("path", { d: "M74 124l34 34 62-70" })],
  alert: () => [svg("circle", { cx: 120, cy: 120, r: 104 }), svg("path", { d: "M120 66v66M120 172v2" })],
};

export function sign(name) {
  return svg("svg", { class: `picture ${name}`, viewBox: "0 0 240 240", "aria-hidden": "true" }, ...SIGNS[name]());
}
