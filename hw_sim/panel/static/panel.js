// The picture follows the simulator: it asks for the whole state once, then listens. No state of its own is believed.
import { drawFaults } from "./faults.js";
import { meaning } from "./meanings.js";

const $ = (id) => document.getElementById(id);
const doors = new Map();
const bays = new Map();
const lines = new Map();
let shown = "";

const ENVELOPE = `<svg viewBox="0 0 120 78" aria-hidden="true">
 <rect x="2" y="6" width="116" height="68" rx="4" fill="#e6c182"/><path d="M2 10 60 46 118 10V9q0-3-4-3H6Q2 6 2 9Z" fill="#f3d9a6" stroke="#b98d45" stroke-width="1.5"/>
 <rect x="2" y="6" width="116" height="68" rx="4" fill="none" stroke="#b98d45" stroke-width="1.5"/>
 <circle cx="60" cy="44" r="7" fill="#c8402f"/><path d="M60 44v16" stroke="#c8402f" stroke-width="2"/>
 <rect x="12" y="56" width="34" height="4" rx="2" fill="#b98d45"/><rect x="12" y="64" width="22" height="4" rx="2" fill="#b98d45"/></svg>`;

const SIZES = { S: "小 small", M: "中 medium", L: "大 large" };
const WORDS = {
  door_opened: ["门弹开", "door sprang open", "opened"], forced: ["门被撬开", "door forced open", "bad"],
  door_shut: ["门推上了", "door pushed shut", ""], item_put: ["放入信封", "envelope put in", ""],
  item_taken: ["取出信封", "envelope taken out", ""], jammed: ["锁舌卡住", "latch jammed", "bad"],
  unjammed: ["锁舌松开", "latch freed", ""], held: ["有人按住门", "somebody holds it shut", "bad"],
  released: ["松手", "let go", ""], sensor_changed: ["传感器变了", "sensor changed", "bad"],
  coil_hot: ["线圈过热", "coil too hot", "bad"],
};
const TROUBLE = [
  ["jam", (d) => !d.jammed, "卡住锁舌", "Jam the latch"], ["unjam", (d) => d.jammed, "松开锁舌", "Free the latch"],
  ["hold", (d) => !d.held, "用手按住门", "Hold the door shut"], ["release", (d) => d.held, "松手", "Let go"],
  ["pry", () => true, "强行撬开", "Force it open"],
];
const SENSORS = [
  ["door", "stuck_1", "门磁卡在“关”", "Door sensor sticks at shut"], ["door", "stuck_0", "门磁卡在“开”", "Door sensor sticks at open"],
  ["item", "stuck_1", "物品传感器卡在“有”", "Item sensor sticks at full"], ["item", "stuck_0", "物品传感器卡在“无”", "Item sensor sticks at empty"],
];
const RELAY = [
  ["welded", "继电器触点粘连", "Relay contact welds, unknown to the board", "继电器触点松开", "Part the welded contact"],
  ["stuck_on", "继电器不释放", "Relay stays on, and reads as on", "继电器恢复", "Let the relay go off again"],
];
function notice(text) {
  const box = $("notice");
  box.textContent = text; box.hidden = false;
  clearTimeout(notice.timer); notice.timer = setTimeout(() => { box.hidden = true; }, 3200);
}

async function send(path, body, method = "POST") {
  const reply = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const value = await reply.json();
  if (!reply.ok) notice(value.error);
  return reply.ok ? value : null;
}

async function act(number, what, body) {
  const door = await send(`doors/${number}/${what}`, body);
  if (door) show(door);
}

function element(tag, attributes, html = "") {
  const made = Object.assign(document.createElement(tag), attributes);
  made.innerHTML = html;
  return made;
}

function build(door) {
  const bay = element("div", { className: `bay ${door.size}` }, `
    <div class="inside"><b class="tag">${String(door.number).padStart(2, "0")}</b><button class="slot"><span>＋ 放入信封<small>put envelope in</small></span>${ENVELOPE}</button>
      <button class="shut">推上门 <small>Shut</small></button></div>
    <button class="leaf"><span class="num">${String(door.number).padStart(2, "0")}</span><span class="size">${SIZES[door.size]}</span><span class="place">${door.lock}</span>
      <span class="leds"><i class="led relay"></i><i class="led sensor"></i><i class="led held"></i><i class="led jam"></i><i class="led coil"></i></span><span class="keyhole"></span></button>
    <button class="more" aria-label="捣乱 make trouble, ${door.number}">⋯</button>`);
  bay.style.gridColumn = door.column; bay.style.gridRow = door.row;
  bay.querySelector(".slot").onclick = () => act(door.number, doors.get(door.number).item ? "take" : "put");
  bay.querySelector(".shut").onclick = () => act(door.number, "shut");
  bay.querySelector(".leaf").onclick = () => (doors.get(door.number).open ? act(door.number, "shut")
    : notice(`${door.number} 号门锁着；在终端机上输码 · door ${door.number} is locked: enter a code at the kiosk`));
  bay.querySelector(".more").onclick = (event) => { event.stopPropagation(); openMenu(door.number, bay); };
  $("bays").append(bay);
  bays.set(door.number, bay);
}

function show(door) {
  doors.set(door.number, door);
  if (!bays.has(door.number)) build(door);
  const bay = bays.get(door.number);
  for (const flag of ["open", "item", "jammed", "held", "coil_on"]) bay.classList.toggle(flag, door[flag]);
  bay.classList.toggle("sensor", door.door_sensor !== "true" || (door.item_sensor ?? "true") !== "true");
  const leaf = bay.querySelector(".leaf");
  leaf.setAttribute("aria-label", `${door.number} 号门 door ${door.number}: ${door.open ? "开着，点击推上 open, click to shut" : "关着 shut"}`);
  bay.querySelector(".inside").inert = !door.open;
  bay.querySelector(".slot").title = door.item ? "取出信封 · take the envelope out" : "放入信封 · put the envelope in";
  $("lamp").classList.toggle("on", [...doors.values()].some((each) => each.open));
}

// The line and the terminal of a door's relay, and the other terminals of that line that have the fault.
function relayFault(door, fault) {
  const [line, board, channel] = door.lock.split("/"), terminal = `${board}/${channel}`;
  return [line, terminal, lines.get(line).faults[fault].filter((each) => each !== terminal)];
}

function showRelays() {
  for (const [number, bay] of bays) {
    const door = doors.get(number), line = lines.get(door.lock.split("/")[0]);
    const broken = RELAY.some(([fault]) => relayFault(door, fault)[2].length < line.faults[fault].length);
    bay.classList.toggle("relay", broken);
  }
}

function openMenu(number, bay) {
  const menu = $("menu"), door = doors.get(number);
  menu.replaceChildren(element("h3", {}, `${number} 号门 · Door ${number}`));
  menu.append(element("p", {}, `锁 lock ${door.lock}<br>门磁 sensor ${door.door}`));
  const add = (zh, en, work) => {
    const button = element("button", {}, `${zh} <small>${en}</small>`);
    button.onclick = () => { menu.hidden = true; work(); };
    menu.append(button);
  };
  for (const [name, fits, zh, en] of TROUBLE) if (fits(door)) add(zh, en, () => act(number, name));
  for (const [sensor, how, zh, en] of SENSORS) {
    if (sensor === "item" && door.item_sensor === null) continue;
    if (door[`${sensor}_sensor`] === "true") add(zh, en, () => act(number, "sensors", { [sensor]: how }));
  }
  for (const [fault, zh, en, mendZh, mendEn] of RELAY) {
    const [line, terminal, others] = relayFault(door, fault), on = others.length < lines.get(line).faults[fault].length;
    add(on ? mendZh : zh, on ? mendEn : en, () => send("faults", { line, [fault]: on ? others : [...others, terminal] }));
  }
  if (bay.classList.contains("sensor")) add("修好传感器", "Mend the sensors", () => act(number, "sensors", { door: "true", item: "true" }));
  const box = bay.getBoundingClientRect();
  menu.hidden = false;
  menu.style.left = `${Math.min(box.right - 120, innerWidth - 250) + scrollX}px`;
  menu.style.top = `${Math.max(8, Math.min(box.bottom - 20, innerHeight - menu.offsetHeight - 12)) + scrollY}px`;
  menu.querySelector("button").focus();
}
document.addEventListener("click", (event) => { if (!$("menu").contains(event.target)) $("menu").hidden = true; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") $("menu").hidden = true; });

function tell(number, zh, en, kind, at) {
  const list = $("story");
  list.querySelector(".quiet")?.remove();
  list.prepend(element("li", { className: kind }, `<b>${number ?? "?"}</b><span>${zh} <small>${en}</small></span><time>${new Date(at).toLocaleTimeString("zh-CN")}</time>`));
  while (list.children.length > 30) list.lastChild.remove();
}

function onPulse(row) {
  const length = row.pulse_ms === null ? ["一直通电", "held on"] : [`${row.pulse_ms} 毫秒`, `${row.pulse_ms} ms`];
  tell(row.compartment, `开锁脉冲 ${length[0]}`, `lock pulse, ${length[1]}`, "pulse", row.at);
}

function onMove(row) {
  const [zh, en, kind] = WORDS[row.cause === "force" ? "forced" : row.what] ?? [];
  if (zh) tell(row.compartment, zh, en, kind, row.at);
  if (row.door) show(row.door);
}

// The wire: frames come in batches; the same question and answer over and over is drawn once and counted.
let counted = 0, since = performance.now(), lastHeard = 0;
const marks = [];

function onFrames(frames) {
  const list = $("wire");
  for (const frame of frames) {
    counted += frame.kind === "request"; lastHeard = performance.now();
    marks.push([frame.mono_s, frame.kind, frame.hex.length / 3, frame.line]);
    if (frame.line !== shown) continue;
    const [text, tone] = meaning(frame, lines.get(frame.line).boards), arrow = { request: "→", reply: "←", report: "⇠" }[frame.kind] ?? "✕";
    const key = frame.kind + frame.hex, known = [...list.children].slice(0, 8).find((item) => item.dataset.key === key);
    if (known && tone !== "pulse") { known.dataset.times = Number(known.dataset.times) + 1; known.querySelector("em").textContent = `${text} ×${known.dataset.times}`; continue; }
    const item = element("li", { className: `${frame.kind} ${tone}` }, `<span>${arrow}</span><span>${frame.hex}</span><em>${text}</em>`);
    item.dataset.key = key; item.dataset.times = 1;
    list.prepend(item);
    while (list.children.length > 14) list.lastChild.remove();
  }
  marks.splice(0, Math.max(0, marks.length - 400));
}

function draw() {
  const canvas = $("scope"), pen = canvas.getContext("2d"), width = canvas.width, span = 2;
  pen.clearRect(0, 0, width, canvas.height);
  pen.fillStyle = "#21444b"; pen.fillRect(0, 41, width, 2);
  const end = marks.length ? marks[marks.length - 1][0] : 0;
  for (const [at, kind, length, line] of marks) {
    if (line !== shown) continue;
    const x = width - 8 - (end - at) / span * (width - 16);
    if (x < 0) continue;
    const tall = Math.min(30, 6 + length);
    pen.fillStyle = kind === "request" ? "#6fb3ff" : kind === "reply" ? "#5fe39a" : kind === "report" ? "#ffd45c" : "#ff7b69";
    if (kind === "request") pen.fillRect(x, 41 - tall, 3, tall); else pen.fillRect(x, 43, 3, tall);
  }
}

setInterval(() => {
  const now = performance.now(), rate = counted / (now - since) * 1000;
  const alive = now - lastHeard < 3000 && lastHeard > 0;
  counted = 0; since = now;
  $("rate").textContent = alive ? `每秒 ${rate.toFixed(0)} 问 · ${rate.toFixed(0)} requests/s` : "";
  $("driver").classList.toggle("alive", alive);
  $("driver").querySelector("span").innerHTML = alive ? "控制程序在线<small>a controller is asking the boards</small>"
    : "线路安静，没有程序在问<small>the line is quiet: nobody asks the boards</small>";
  draw();
}, 1000);

function showFaults(now) {
  for (const [name, faults] of Object.entries(now)) lines.get(name).faults = faults;
  showRelays();
  showLine();
}

function showLine() {
  const line = lines.get(shown);
  drawFaults($("faults"), line, (wish) => send("faults", { line: shown, ...wish }), () => send("faults", undefined, "DELETE"));
  for (const tab of $("lines").children) tab.setAttribute("aria-pressed", tab.dataset.line === shown);
  $("port").textContent = line.port;
}

function choose(name) {
  shown = name;
  $("wire").replaceChildren();
  showLine();
  draw();
}

function showLines() {
  $("lines").replaceChildren(...[...lines.values()].map((line) => {
    const tab = element("button", {}, `<b>${line.name}</b> ${line.baud} <small>${line.transport}</small>`);
    tab.dataset.line = line.name;
    tab.onclick = () => choose(line.name);
    return tab;
  }));
}

// The steel is as wide as the cabinet has columns; many doors are drawn small.
function measure(all) {
  const columns = Math.max(...all.map((door) => door.column)), rows = Math.max(...all.map((door) => door.row));
  $("bays").style.setProperty("--columns", columns);
  $("bays").className = `bays ${columns > 6 || rows > 6 ? "tiny" : columns > 4 || rows > 4 ? "small" : ""}`;
}

async function load() {
  const state = await (await fetch("state")).json();
  for (const [number, bay] of bays) if (!state.doors.some((door) => door.number === number)) { bay.remove(); bays.delete(number); doors.delete(number); }
  measure(state.doors);
  state.doors.forEach(show);
  for (const line of state.lines) lines.set(line.name, line);
  if (!lines.has(shown)) shown = state.lines[0].name;
  showLines();
  showFaults({});
}

const events = new EventSource("events");
events.onopen = load;
events.addEventListener("pulse", (event) => onPulse(JSON.parse(event.data)));
events.addEventListener("move", (event) => onMove(JSON.parse(event.data)));
events.addEventListener("frames", (event) => onFrames(JSON.parse(event.data)));
events.addEventListener("faults", (event) => showFaults(JSON.parse(event.data)));
events.onerror = () => { lastHeard = 0; };
