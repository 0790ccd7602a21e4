// What a frame says, in a few words for who watches. Judged by its shape and the families on its line.
const xor = (octets) => octets.reduce((rest, octet) => rest ^ octet, 0);
const hex = (octet) => octet.toString(16).toUpperCase().padStart(2, "0");
const QUIET = ["", ""];

const TROUBLE = {
  early: ["太早，被忽略 too early", "bad"], spoilt: ["撞车 collided", "bad"], unheard: ["没人听懂 unheard", "bad"],
  request_lost: ["丢失 lost", "bad"], reply_lost: ["丢失 lost", "bad"],
};

function modbus([board, code, ...rest], asked) {
  const wide = (at) => rest[at] * 256 + rest[at + 1], channel = wide(0);
  if (code & 0x80) return [`拒绝 refused (${rest[0]})`, "bad"];
  if (code === 5 && channel >= 0x200 && channel < 0x300) return [`${asked ? "开锁" : "收到"} ${channel - 0x1ff} · pulse`, "pulse"];
  if (code === 5) return [`继电器 ${channel + 1} ${wide(2) ? "通 on" : "断 off"}`, asked ? "pulse" : ""];
  if (code === 6 && channel >= 1 && channel <= 32) return [`通道 ${channel} 指令 ${rest[2]} command`, asked ? "pulse" : ""];
  if (code === 2) return [asked ? `读 ${board} 号板 read inputs` : "输入状态 inputs", ""];
  return [{ 1: "读继电器 coils", 3: "读寄存器 registers", 6: "写寄存器 register", 15: "写继电器 relays", 16: "写寄存器 registers" }[code] ?? "", ""];
}

function xor8a(octets, asked) {
  const [head, board, lock, state] = octets;
  if (octets.length < 5 || xor(octets)) return null;
  if (head === 0x81 || head === 0x82) return [`主动上报 ${lock} report`, "report"];
  if (head === 0x8a) return asked ? [`开锁 ${lock || "全部 all"} · pulse`, "pulse"] : [`${lock} 号锁 ${hex(state)} feedback`, ""];
  if (head === 0x80) return asked ? [`问 ${board} 号板 ${lock || ""} query`, ""] : ["锁状态 status", ""];
  return [{ 0x90: "批量开锁 batch", 0x9a: "保持通电 hold", 0x9b: "断电 let go" }[head] ?? "", head === 0x90 || head === 0x9a ? "pulse" : ""];
}

function wkly(octets, asked) {
  if (octets.length < 8 || octets[0] !== 0x57 || octets[1] !== 0x4b) return null;
  const command = octets[6], opens = [0x80, 0x82, 0x86, 0x87, 0x88].includes(command);
  if (command === 0x85) return [`主动上报 ${octets[7]} report`, "report"];
  if (opens) return asked ? [`开锁 ${command === 0x82 ? octets[7] : "多个 several"} · pulse`, "pulse"] : ["开锁结果 result", octets[7] ? "bad" : ""];
  return [command === 0x84 ? (asked ? `问 ${octets[5]} 号板 query` : "锁状态 status") : "", ""];
}

function kerong5(octets) {
  if (octets[0] !== 0x02 || octets.length < 5) return null;
  const board = octets[1] >> 4, lock = (octets[1] & 15) + 1;
  return { 0x30: [`问 ${board} 号板 query`, ""], 0x32: ["问全部 query all", ""], 0x31: [`开锁 ${lock} · pulse`, "pulse"],
    0x33: ["全部开锁 open all", "pulse"], 0x35: ["锁与物品 locks and items", ""], 0x39: [`延时开锁 ${lock} delayed`, "pulse"] }[octets[2]] ?? QUIET;
}

function kerong6(octets) {
  if (octets[0] !== 0x02 || octets.length < 6) return null;
  return { 0x60: [`问 ${octets[1]} 号板 query`, ""], 0x61: [`开锁 ${octets[2] + 1} · pulse`, "pulse"], 0x75: ["锁状态 status", ""] }[octets[3]] ?? QUIET;
}

function winnsen(octets, asked) {
  if (octets[0] !== 0x90 || octets[1] !== octets.length) return null;
  const [, , code, board, lock, state] = octets;
  if (code === 0x05) return [`开锁 ${lock} · pulse`, "pulse"];
  if (code === 0x85) return [["没开 failed", "开了 opened", "冷却中 cooling"][state] ?? "", state === 1 ? "" : "bad"];
  return [asked ? `问 ${board} 号板 poll` : "锁状态 status", ""];
}

const FAMILIES = { xor8a, wkly, kerong5, kerong6, winnsen, modbus };

export function meaning(frame, boards) {
  const octets = frame.hex.split(" ").map((text) => parseInt(text, 16)), asked = frame.kind === "request";
  if (frame.kind === "dead") return ["板子无声 board silent", "bad"];
  if (TROUBLE[frame.kind]) return TROUBLE[frame.kind];
  for (const family of new Set(boards.map((board) => board.family))) {
    const said = FAMILIES[family]?.(octets, asked);
    if (said) return said;
  }
  return QUIET;
}
